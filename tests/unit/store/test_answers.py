"""What reads bring is the same with botocore's parser and without it, errors included."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import BaseJSONParser
from pynamodb.attributes import BinaryAttribute, BinarySetAttribute

from chalicelib.store.answers import READS, read_as_sent
from chalicelib.store.models import MODELS

_ROW = {
    "text": {"S": "Grüße ☀ 🎁"},
    "number": {"N": "12345678901234567890.5"},
    "set": {"SS": ["1.0", "2.3"]},
    "numbers": {"NS": ["1", "2"]},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "list": {"L": [{"S": ""}, {"M": {"inner": {"N": "0"}}}]},
    "map": {"M": {}},
}
_CONSUMED = {"TableName": "passes", "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}}
_KEY = {"pass_id": {"N": "1"}}
_ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "GetItem": ({"TableName": "passes", "Key": _KEY}, {"Item": _ROW, "ConsumedCapacity": _CONSUMED}),
    "Query": (
        {"TableName": "passes"},
        {"Items": [_ROW, {}], "Count": 2, "ScannedCount": 7, "LastEvaluatedKey": _KEY, "ConsumedCapacity": None},
    ),
    "BatchGetItem": (
        {"RequestItems": {"passes": {"Keys": [_KEY]}}},
        {
            "Responses": {"passes": [_ROW], "tags": []},
            "UnprocessedKeys": {"passes": {"Keys": [_KEY], "ConsistentRead": True}},
            "ConsumedCapacity": [_CONSUMED],
        },
    ),
    "TransactGetItems": (
        {"TransactItems": [{"Get": {"TableName": "passes", "Key": _KEY}}]},
        {"Responses": [{"Item": _ROW}, {}]},
    ),
}


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


def _client(status: int, answer: object) -> Any:
    """A client that gets this answer to whatever it asks."""
    session = botocore.session.Session()
    session.set_credentials("key", "secret")
    client: Any = session.create_client("dynamodb", "us-east-1", config=Config(retries={"total_max_attempts": 1}))
    content = json.dumps(answer).encode()

    def answer_at_once(request: Any, **_: Any) -> AWSResponse:
        headers: Any = HeadersDict({"x-amzn-RequestId": "7"})
        return AWSResponse(request.url, status, headers, _Body(content))

    client.meta.events.register("before-send.dynamodb.*", answer_at_once)
    return client


def _ask(client: Any, operation: str) -> Any:
    return client._make_api_call(operation, dict(_ANSWERS[operation][0]))


@pytest.mark.parametrize("operation", READS)
def test_an_answer_is_what_botocore_would_have_made_of_it(operation: str) -> None:
    plain, own = (_client(200, _ANSWERS[operation][1]) for _ in range(2))
    read_as_sent(own)

    assert _ask(own, operation) == _ask(plain, operation)


def test_botocore_does_not_copy_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    client = _client(200, _ANSWERS["GetItem"][1])
    read_as_sent(client)
    copied: list[object] = []
    monkeypatch.setattr(BaseJSONParser, "_handle_map", lambda *arguments: copied.append(arguments))

    assert _ask(client, "GetItem")["Item"] == _ROW
    assert not copied


@pytest.mark.parametrize("operation", READS)
def test_an_error_is_told_as_ever(operation: str) -> None:
    client = _client(400, {"__type": "com.amazonaws#ThrottlingException", "message": "slow down"})
    read_as_sent(client)

    with pytest.raises(ClientError) as raised:
        _ask(client, operation)

    assert raised.value.response["Error"] == {"Code": "ThrottlingException", "Message": "slow down"}


def test_no_row_has_a_binary_value() -> None:
    attributes = [attribute for model in MODELS for attribute in model.get_attributes().values()]

    assert attributes
    assert not [each for each in attributes if isinstance(each, BinaryAttribute | BinarySetAttribute)]
