"""HTTP routes: one file a resource and dialect. A route parses, calls one domain function and serialises."""
