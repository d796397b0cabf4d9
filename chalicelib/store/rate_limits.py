"""The buckets of rate limits in DynamoDB: a row each, which every process adds to."""

from __future__ import annotations

import re
from functools import cached_property
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.rate_limits import Asking, RateLimitUnknown, Tally
from chalicelib.store.connection import Database

_ASKED, _LEVEL = "asked", "level"
_NUMBERED = re.compile(rf"({_ASKED}|{_LEVEL})(\d+)")


class DynamoRateLimitStore:
    """Implements `RateLimitStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()

    @cached_property
    def client(self) -> Any:
        """A client of its own: the other one waits for seconds and repeats, which no limit is worth."""
        settings = self._database.settings
        return self._database.create_client(
            "dynamodb", settings.dynamodb_endpoint, timeout_seconds=settings.rate_limit_timeout_seconds
        )

    def ask(self, bucket: str, asking: Asking) -> Tally:
        """See `RateLimitStore`. Nothing that AWS or the network does is an error here, a missing table included."""
        with self._lock:
            client = self.client
        try:
            answer = client.update_item(
                TableName=self._database.settings.table_name("rate-limits"),
                Key={"bucket": {"S": bucket}},
                ReturnValues="ALL_NEW",
                **_express(asking),
            )
        except (BotoCoreError, ClientError) as error:
            raise RateLimitUnknown(f"{type(error).__name__}: {error}") from error
        return _read(answer["Attributes"])


def _express(asking: Asking) -> dict[str, Any]:
    """The update, with numbers of slots in the names of attributes."""
    sets, values = ["expires_at = :expires_at"], {":expires_at": asking.expires_at, ":tokens": asking.tokens}
    if asking.level is not None:
        slot, level = asking.level
        sets.append(f"{_LEVEL}{slot} = :level")
        values[":level"] = level
    removed = [f"{_ASKED}{slot}" for slot in asking.obsolete.asked]
    removed += [f"{_LEVEL}{slot}" for slot in asking.obsolete.levels]
    parts = [f"ADD {_ASKED}{asking.slot} :tokens", f"SET {', '.join(sets)}"]
    if removed:
        parts.append(f"REMOVE {', '.join(removed)}")
    return {
        "UpdateExpression": " ".join(parts),
        "ExpressionAttributeValues": {name: {"N": str(value)} for name, value in values.items()},
    }


def _read(item: dict[str, dict[str, str]]) -> Tally:
    found: dict[str, dict[int, int]] = {_ASKED: {}, _LEVEL: {}}
    for name, value in item.items():
        numbered = _NUMBERED.fullmatch(name)
        if numbered:
            found[numbered[1]][int(numbered[2])] = int(value["N"])
    return Tally(found[_ASKED], found[_LEVEL])
