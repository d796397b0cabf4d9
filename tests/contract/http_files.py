"""Reads files of requests as httpYac does, as far as ours go."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_VARIABLE = re.compile(r"^@(\w+) = (.*)$", re.MULTILINE)
_NAME = re.compile(r"^# @name (\w+)$", re.MULTILINE)
_STATUS = re.compile(r"^\?\? status == (\d{3})$", re.MULTILINE)
_ANSWER = re.compile(r"^# => (.+)$", re.MULTILINE)
_PLACE = re.compile(r"\{\{(.+?)\}\}")
_PATH = re.compile(r"(\w+)((?:\.\w+|\[\d+\])+)")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_FILE = re.compile(r"^< (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Written:
    """One request as it is written, and what is said of its answer."""

    title: str
    name: str | None
    text: str
    """request line, headers, and after an empty line the body"""
    status: int
    example: Any
    """what is in the answer; None if nothing is said"""


def read_requests(path: Path) -> tuple[dict[str, str], list[Written]]:
    """Variables and requests of a file, in its order."""
    head, *parts = re.split(r"^###", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(_VARIABLE.findall(head)), [_read(part) for part in parts]


def _read(part: str) -> Written:
    title, _, rest = part.partition("\n")
    name, status, answer = _NAME.search(rest), _STATUS.search(rest), _ANSWER.search(rest)
    assert status is not None, f"nothing is said of the answer to {title}"
    lines = rest.splitlines()
    while lines and (lines[0].startswith(("#", "??")) or not lines[0].strip()):
        lines.pop(0)
    return Written(
        title=title.strip(),
        name=name and name[1],
        text="\n".join(lines).strip(),
        status=int(status[1]),
        example=answer and json.loads(answer[1]),
    )


class Sender:
    """Sends requests one after another, each of which may name answers of earlier ones."""

    def __init__(self, http: httpx.Client, variables: Mapping[str, str], *, settings: Mapping[str, str], folder: Path):
        self._http = http
        self._variables = variables
        self._settings = settings
        self._folder = folder
        self._answers: dict[str, Any] = {}

    def send(self, written: Written) -> httpx.Response:
        """Sends it, and keeps the answer under its name."""
        head, _, body = self._fill(written.text).partition("\n\n")
        first, *more = head.splitlines()
        method, address = first.split(" ", 1)
        headers = dict(line.split(": ", 1) for line in more)
        if "Authorization" in headers:
            scheme, user, secret = headers["Authorization"].split(" ")
            headers["Authorization"] = f"{scheme} {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"
        response = self._http.request(method, address, headers=headers, content=self._include(body))
        if written.name:
            self._answers[written.name] = response.json()
        return response

    def _fill(self, text: str) -> str:
        while _PLACE.search(text):
            text = _PLACE.sub(lambda found: self._find(found[1]), text)
        return text

    def _find(self, place: str) -> str:
        """What stands for a place: a setting, a variable of the file, or something in the answer of that name."""
        known = {**self._settings, **self._variables}
        if place in known:
            return known[place]
        path = _PATH.fullmatch(place)
        assert path is not None, f"{{{{{place}}}}} is not in the words of httpYac that are read here"
        value = self._answers[path[1]]
        for key, position in _STEP.findall(path[2]):
            value = value[key] if key else value[int(position)]
        return str(value)

    def _include(self, body: str) -> bytes:
        """The body with the files that it includes; parts of a form are divided by two characters."""
        found = _FILE.search(body)
        if found is None:
            return body.encode()
        before, after = body[: found.start()], body[found.end() :]
        file = (self._folder / found[1]).read_bytes()
        return before.replace("\n", "\r\n").encode() + file + after.replace("\n", "\r\n").encode()


def find_difference(example: Any, answer: Any, place: str = "the answer") -> str | None:
    """What of the example is not in an answer, or of another type there; empty objects and lists stand for any."""
    kinds = (int, float) if type(example) in (int, float) else (type(example),)
    if type(answer) not in kinds:
        return f"{place} is {answer!r}, not like {example!r}"
    if isinstance(example, dict):
        pairs = [(name, value, answer.get(name)) for name, value in example.items()]
        missing = [name for name in example if name not in answer]
        if missing:
            return f"{place} lacks {missing}"
        return next(filter(None, (find_difference(a, b, f"{place}.{name}") for name, a, b in pairs)), None)
    if isinstance(example, list) and example:
        return find_difference(example[0], answer[0], f"{place}[0]") if answer else f"{place} is empty"
    return None
