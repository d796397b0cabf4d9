"""What the document says in sentences: of the API as a whole, of its parts, and of the forms of its paths."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Final

from chalicelib.api.declared import Operation

DESCRIPTION: Final = Path(__file__).with_name("description.md").read_text(encoding="utf-8").strip()

TAGS: Final[dict[str, tuple[str, str]]] = {
    "airship.tags": (
        "Airship: tags",
        "A tag is a word on passes, to pick those that are updated together. Adding one creates it. A pass has at most"
        " 15. Wherever a path names a tag, its name or its id will do; the name is looked for first.",
    ),
    "airship.passes": (
        "Airship: passes",
        "Passes, by id, by external id, or by template and external id. The last form is the one that is never"
        " ambiguous: an external id is unique in its template alone, and one that several templates use is 400.",
    ),
    "airship.downloads": ("Airship: downloads", "A pass as the file that wallets take, and what it holds."),
    "airship.templates": (
        "Airship: templates",
        "What passes are made from. A template is a campaign of the Passworks dialect, seen from here.",
    ),
    "airship.tickets": ("Airship: tickets and status", "How far an update is, and whether the service answers."),
    "airship.callbacks": (
        "Airship: callbacks",
        "Where a project's own systems are told what happens to passes; see the webhooks.",
    ),
    "passworks.campaigns": (
        "Passworks: campaigns",
        "What passes are made from, by type. A campaign is a template of the Airship dialect, seen from here.",
    ),
    "passworks.passes": ("Passworks: passes", "Passes of a campaign, by UUID, and redeeming them."),
    "passworks.registrations": (
        "Passworks: registrations",
        "Which passes are in which wallets now, a row for each device. Removing a pass ends its row.",
    ),
    "passworks.redeems": ("Passworks: redeems", "When passes were redeemed."),
    "passworks.reports": ("Passworks: reports", "What happened to a campaign's passes, counted."),
    "passworks.templates": (
        "Passworks: templates",
        "Looks of campaigns: colours, images and the form of the barcode. The other dialect has no such thing.",
    ),
    "passworks.assets": ("Passworks: assets", "Images of an account."),
    "passworks.certificates": ("Passworks: certificates", "What an account's passes are signed with, read only."),
    "passworks.ping": ("Passworks: ping", "Whether the service answers."),
    "webhooks": (
        "Webhooks",
        "What Passel posts to systems of teams. Each event is told at least once, in no certain order, over https.",
    ),
    "passkit": (
        "Wallets",
        "The PassKit web service: what devices and wallets call. They have no account, but the token of a pass.",
    ),
    "google": ("Google", "What Google Wallet calls."),
    "pages": ("Pages", "What people open, and this description."),
}
"""by the module of the routes, or by its package"""

FILES: Final = {
    "application/vnd.apple.pkpass": "The signed pass.",
    "application/octet-stream": "The signature.",
    "image/png": "A picture.",
    "text/html": "A page for people.",
    "application/json": "The description, an OpenAPI 3.1 document.",
    "text/javascript": "A file of the viewer.",
    "text/css": "A file of the viewer.",
}

_FORMS: Final = {
    "_by_external_id": (
        "This form names the pass by its external id. If passes of several templates have it, the answer is 400."
    ),
    "_in_template": "This form names the pass by its template and its external id there, which is never ambiguous.",
}


def tag_key(operation: Operation) -> str:
    """The key in `TAGS` of an operation.

    Raises:
        KeyError: no tag is for its module.
    """
    own = operation.module.removeprefix("chalicelib.api.")
    for key in ("pages" if own == "uploads" else own, own.partition(".")[0], operation.dialect):
        if key in TAGS:
            return key
    raise KeyError(f"no tag for {own}")


def tag_of(operation: Operation) -> str:
    """The tag of an operation."""
    return TAGS[tag_key(operation)][0]


def split(text: str) -> tuple[str, str]:
    """Summary and description of a docstring: its first line, and its paragraphs with their lines joined."""
    summary, _, rest = inspect.cleandoc(text).partition("\n")
    return summary.strip(), join_lines(rest)


def join_lines(text: str) -> str:
    """Paragraphs, each of them one line."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, as one line."""
    return join_lines(inspect.cleandoc(text or "")).partition("\n\n")[0]


def form_of(operation: Operation) -> str:
    """A paragraph on the form in which the path names something, if there are several."""
    if operation.dialect != "airship" or "template_by" in operation.name:
        return ""
    return next((f"\n\n{text}" for ending, text in _FORMS.items() if operation.name.endswith(ending)), "")
