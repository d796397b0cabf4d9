"""What Passel posts to systems of teams (airship-wallet-v1, section 8; passworks-v2, section 11)."""

from __future__ import annotations

from typing import Any, Final

from chalicelib.domain.callbacks import EVENT_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from openapi import words
from openapi.models import Models, find

Document = dict[str, Any]

_EVENTS: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "pass_installed": (
        "A device took a pass",
        "Posted to `{baseUrl}/v1/pass/install`, in the Airship dialect.",
        ("webhooks.InstallEvent",),
    ),
    "pass_uninstalled": (
        "A device gave a pass up",
        "Posted to `{baseUrl}/v1/pass/uninstall`, in the Airship dialect.",
        ("webhooks.InstallEvent",),
    ),
    "pass_personalized": (
        "A person gave name and address to a pass",
        "Posted to `{baseUrl}/v1/pass/{passId}/personalize`, in the Airship dialect.",
        ("webhooks.PersonalizeEvent",),
    ),
    "campaign_pass_event": (
        "Something happened to a pass of a campaign",
        "Posted to the account's one address, in the Passworks dialect, which an operator sets up. `event` says what"
        " happened: the pass was created, downloaded, installed, fetched, redeemed or uninstalled. `Authorization`"
        " holds the account's key for this, without a scheme word.",
        ("webhooks.PassEvent", "webhooks.InstallationEvent"),
    ),
}

_HEADERS: Final = (
    (EVENT_ID_HEADER, "What the event is called; the same in every try. A receiver that remembers it tells repeats."),
    (TIMESTAMP_HEADER, "When this try was made, in seconds since 1970."),
    (
        SIGNATURE_HEADER,
        "`v1=` and HMAC-SHA256 in hex, with the signing secret, over time stamp, `.`, event id, `.` and the body. While"
        " the secret is changed there are two, separated by a comma.",
    ),
)


def describe(models: Models) -> dict[str, Document]:
    """All webhooks, by name."""
    return {name: {"post": _post(name, models)} for name in _EVENTS}


def _post(name: str, models: Models) -> Document:
    summary, text, bodies = _EVENTS[name]
    schemas = [models.refer(body) for body in bodies]
    media: Document = {"schema": schemas[0]}
    if len(schemas) > 1:
        shown = {body.rpartition(".")[2]: find(body).model_json_schema()["examples"][0] for body in bodies}
        examples = {model: {"value": example} for model, example in shown.items()}
        media = {"schema": {"oneOf": schemas}, "examples": examples}
    return {
        "tags": [words.TAGS["webhooks"][0]],
        "summary": summary,
        "description": text,
        "operationId": f"receive_{name}",
        "parameters": [
            {"name": header, "in": "header", "required": True, "description": meaning, "schema": {"type": "string"}}
            for header, meaning in _HEADERS
        ],
        "requestBody": {"required": True, "content": {"application/json": media}},
        "responses": {
            "2XX": {"description": "The event counts as told."},
            "default": {
                "description": (
                    "It is told again with growing delays, at least after what `Retry-After` asks for, for a day."
                    " Redirects are not followed."
                )
            },
        },
    }
