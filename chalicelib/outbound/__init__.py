"""Calls to addresses that clients and teams name."""
