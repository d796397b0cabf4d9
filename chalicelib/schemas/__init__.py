"""Pydantic models, at the edges only: HTTP bodies and queue messages."""
