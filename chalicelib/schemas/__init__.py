"""Pydantic models, at the edges only: HTTP bodies and queue messages.

Each is built when it is first used (`defer_build`): a process starts for one request, which needs one or two of them.
"""
