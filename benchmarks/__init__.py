"""Measurements: calls and units of each request, time by depth, and the pace of bulk updates. Run with `make bench`."""
