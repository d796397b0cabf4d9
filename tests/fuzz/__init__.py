"""Schemathesis against the running server: every operation of the description, and stories along its links.

`make test` has a short run that is always the same, `make fuzz` a long one. What is looked for: an answer with a 5xx,
an answer that is not as described, a request that is taken although the description forbids it, and one that is refused
although it allows it.
"""
