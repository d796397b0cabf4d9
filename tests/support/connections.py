"""Connections of HTTP clients that many threads share."""

from __future__ import annotations

from typing import Final

import httpx

UNBOUNDED: Final = httpx.Limits(max_connections=None, max_keepalive_connections=None)
"""With a bound, a thread that tidies the pool up may close a connection that another one has just been given."""
