"""Asking for what must not be seen, and what happens where nobody is there to be asked."""

from __future__ import annotations

import sys
from typing import Any

import click


def ask_unseen(text: str, *, instead: str, may_be_empty: bool = False) -> str:
    """What somebody types at the terminal, which does not show it; without a terminal a line of standard input.

    `instead` says how to do without the question, for where neither has an answer.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        default = "" if may_be_empty else None
        return str(click.prompt(text, hide_input=True, default=default, show_default=False, err=True))
    line = "" if sys.stdin is None else sys.stdin.readline()
    answer = line.rstrip("\r\n")
    if answer or (line and may_be_empty):
        return answer
    raise click.ClickException(f"there is no terminal to ask for the {text.lower()}; {instead}")


class UnseenOption(click.Option):
    """An option whose value is asked for if it is named without one."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{**settings, "prompt": True, "prompt_required": False, "hide_input": True})

    def prompt_for_value(self, ctx: click.Context) -> str:
        """See `click.Option`."""
        name = self.opts[0]
        return ask_unseen(str(self.prompt), instead=f"give {name} a value, or pipe it in")
