"""Standing between the code under test and what it calls, for as long as the process lasts."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

Wrapper = Callable[..., Any]


def wrapping(owner: Any, name: str) -> Callable[[Wrapper], Wrapper]:
    """Has the decorated function called in the place of a function of a class or module, which is its first argument.

    Whoever has imported that function by its name already goes on calling it.
    """
    original = getattr(owner, name)

    def install(wrapper: Wrapper) -> Wrapper:
        @wraps(original)
        def call(*values: Any, **named: Any) -> Any:
            return wrapper(original, *values, **named)

        setattr(owner, name, call)
        return wrapper

    return install
