"""Looking for many secrets in much text."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.support.known_secrets import FEWEST_CHARACTERS

_EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Leak:
    """One secret in one line."""

    file: str
    line: int
    kind: str
    text: str
    """the line around the secret, with `***` in its place"""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}: {self.text}"


class SecretFinder:
    """Knows secrets as they are, and as they look in an address and in JSON."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """`secrets` are the secrets, and what each is; none is shorter than `FEWEST_CHARACTERS`."""
        self._kinds = {form: kind for secret, kind in secrets.items() for form in _forms_of(secret)}
        self._by_beginning: dict[str, list[str]] = defaultdict(list)
        for form in self._kinds:
            self._by_beginning[form[:FEWEST_CHARACTERS]].append(form)

    def find_in_files(self, files: Iterable[Path]) -> list[Leak]:
        """Every secret in every line."""
        return [leak for file in files for leak in self._find_in_file(file)]

    def _find_in_file(self, file: Path) -> Iterator[Leak]:
        lines = file.read_text(encoding="utf-8").splitlines()
        found = {line: forms for line in set(lines) if (forms := self.find(line))}
        for number, line in enumerate(lines, start=1):
            for form in found.get(line, ()):
                yield Leak(f"{file.parent.name}/{file.name}", number, self._kinds[form], _excerpt(line, form))

    def find(self, text: str) -> list[str]:
        """The secrets in a text, in the form that they have there."""
        beginnings = self._by_beginning
        return [
            form
            for start in range(len(text) - FEWEST_CHARACTERS + 1)
            if (beginning := text[start : start + FEWEST_CHARACTERS]) in beginnings
            for form in beginnings[beginning]
            if text.startswith(form, start)
        ]


def _forms_of(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


def _excerpt(line: str, form: str) -> str:
    start = line.index(form)
    before, after = line[:start][-_EXCERPT_CHARACTERS:], line[start + len(form) :][:_EXCERPT_CHARACTERS]
    return f"{before}***{after}"
