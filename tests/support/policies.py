"""The policies of the functions in `.chalice`, read as IAM reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from local.clients import REGION
from local.environment import PREFIX
from tests.support.aws_actions import ACCOUNT, PARTITION, Access

CHALICE = Path(__file__).parents[2] / ".chalice"

VARIABLES: Final[Mapping[str, str]] = {
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "Prefix": PREFIX,
    "Stage": PREFIX.removeprefix("passel-").rstrip("-"),
}
"""what the deployment puts into a policy, as the tests' stack would have it"""

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


class Grant(NamedTuple):
    """One action on one pattern of resources that a statement allows."""

    statement: str
    """its Sid"""
    action: str
    resource: str

    def covers(self, access: Access) -> bool:
        """Whether it allows an access. IAM compares actions in any letter case, resources in the given one."""
        return _matches(self.action.lower(), access.action.lower()) and _matches(self.resource, access.resource)


class Policy:
    """What one function may do. Only what is allowed can be: our policies deny nothing and know no conditions."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self.grants = tuple(grants)
        self._known: dict[Access, bool] = {}

    def allows(self, access: Access) -> bool:
        """Whether any statement allows it."""
        known = self._known.get(access)
        if known is None:
            known = self._known[access] = any(grant.covers(access) for grant in self.grants)
        return known


@cache
def policy_files() -> Mapping[str, Path]:
    """The policy file of every function, by the function's name in `config.json`."""
    config = json.loads((CHALICE / "config.json").read_text(encoding="utf-8"))
    return {name: CHALICE / settings["iam_policy_file"] for name, settings in config["lambda_functions"].items()}


@cache
def read_policy(function: str) -> Policy:
    """What a function may do; nothing if it is none of ours."""
    file = policy_files().get(function)
    return Policy(()) if file is None else parse_policy(file.read_text(encoding="utf-8"))


def parse_policy(text: str) -> Policy:
    """A policy from its JSON, with our variables filled in.

    Raises:
        ValueError: it holds something that this reader does not know.
    """
    statements = json.loads(_VARIABLE.sub(lambda match: _value_of(match[1]), text))["Statement"]
    return Policy(grant for statement in statements for grant in _read_statement(statement))


def _value_of(variable: str) -> str:
    if variable not in VARIABLES:
        raise ValueError(f"no value for ${{{variable}}}")
    return VARIABLES[variable]


def _read_statement(statement: Mapping[str, Any]) -> Iterator[Grant]:
    if statement.keys() != {"Sid", "Effect", "Action", "Resource"} or statement["Effect"] != "Allow":
        raise ValueError(f"a statement that cannot be judged here: {statement}")
    for action in _as_list(statement["Action"]):
        for resource in _as_list(statement["Resource"]):
            yield Grant(statement["Sid"], action, resource)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    """IAM's wildcards: `*` is any number of characters, `?` is one."""
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern), re.DOTALL)


def _matches(pattern: str, text: str) -> bool:
    return pattern == text or _compile(pattern).fullmatch(text) is not None
