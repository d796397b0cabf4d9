"""What can go wrong with a local run for reasons that one line explains.

StackError               the run cannot start or go on; the message is all that the user needs
  EngineUnavailableError no dynoxide binary can be had; moto may serve instead
"""

from __future__ import annotations


class StackError(Exception):
    """The local run cannot start or go on."""


class EngineUnavailableError(StackError):
    """No dynoxide binary was found, and none could be installed."""
