"""What many operations have in common: credentials, headers, refusals, and what goes by a name of `shares`.

A new header or answer that many routes have is one entry in `SHARES`; the routes name it in their decorators, or
`_everywhere` says by a rule which have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chalicelib import errors
from chalicelib.api.declared import Operation
from chalicelib.domain.idempotency import LONGEST_KEY_CHARACTERS
from chalicelib.schemas.bounds import END
from openapi.models import REFERENCE, Models

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Share:
    """What an operation has by a name in its `shares`: names of components."""

    parameters: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """of each success"""
    headers_of_bodies: tuple[str, ...] = ()
    """of each success that has a body"""
    refuses: tuple[int, ...] = ()


SHARES: Final[Mapping[str, Share]] = {
    "paging": Share(
        headers=("X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Offset", "X-Next-Page", "X-Prev-Page")
    ),
    "freshness": Share(headers=("Last-Modified",), headers_of_bodies=("Content-Disposition",)),
    "if modified since": Share(parameters=("If-Modified-Since",)),
    "signing secret": Share(headers=("Passel-Signing-Secret",)),
    "visitor": Share(headers=("Set-Cookie",)),
    "kept for ever": Share(headers=("Cache-Control",)),
    "tagged": Share(headers=("ETag", "Cache-Control"), parameters=("If-None-Match",)),
    "create": Share(),
    "bulk": Share(),
    "redeem": Share(),
    "pass update": Share(parameters=("If-Match",), refuses=(412,)),
    "idempotency key": Share(parameters=("Idempotency-Key",), headers=("Idempotency-Replayed",), refuses=(409, 422)),
    "tagged read": Share(parameters=("If-None-Match",), headers=("ETag",)),
}
"""`create`, `bulk` and `redeem` name kinds of routes, for what is to hold for all of a kind."""

SCHEMAS: Final[dict[str, Document]] = {"ApiRevision": {"type": "string", "enum": ["1.2"]}}

_KEY_CHARACTERS: Final = LONGEST_KEY_CHARACTERS
_KEY_LENGTH: Final = 2 * _KEY_CHARACTERS + 2
_QUOTED_KEY: Final = rf'"([ !#-\[\]-~]|\\["\\]){{1,{_KEY_CHARACTERS}}}"'
_PLAIN_KEY: Final = rf'(?!"([ !#-\[\]-~]|\\["\\])*" *{END})[!-~]([ -~]{{0,{_KEY_CHARACTERS - 2}}}[!-~])?'
_KEY: Final = rf"^ *({_QUOTED_KEY}|{_PLAIN_KEY}) *{END}"
"""printable characters of ASCII; a whole text in quotes counts without them, and `\\"` and `\\\\` in it count once"""

PARAMETERS: Final[dict[str, Document]] = {
    "Api-Revision": {
        "name": "Api-Revision",
        "in": "header",
        "required": False,
        "description": "The version of the dialect. 1.2 is the only one, and what is meant without this header.",
        "schema": {"$ref": REFERENCE.format(model="ApiRevision")},
    },
    "If-Modified-Since": {
        "name": "If-Modified-Since",
        "in": "header",
        "required": False,
        "description": "The `Last-Modified` of the version that the wallet has. What is no date is ignored.",
        "schema": {"type": "string"},
        "example": "Sun, 06 Nov 1994 08:49:37 GMT",
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": (
            "The `ETag` of a read of this pass, or several, or `*`: only a pass that a read would still answer so is"
            " written, else the answer is 412."
        ),
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": (
            "The caller's own name of this request. The same request with the same key is answered as the first one"
            f" was, and done once, for a day; another request with it is refused. 1 to {LONGEST_KEY_CHARACTERS}"
            " printable ASCII characters, not counting double quotes around them."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": _KEY_LENGTH, "pattern": _KEY},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` of an earlier answer, or several; one that still holds is answered 304.",
        "schema": {"type": "string"},
    },
}


def _header(text: str, schema: Document, *, required: bool = False) -> Document:
    return {"description": text, "required": required, "schema": schema}


_COUNT: Final = {"type": "integer", "minimum": 0}
_POSITIVE: Final = {"type": "integer", "minimum": 1}

HEADERS: Final[dict[str, Document]] = {
    "Idempotency-Replayed": _header(
        "`true` if this is the answer to an earlier request with the key.", {"type": "string"}
    ),
    "RateLimit": _header(
        "What is left of the limit: `r` requests, and `t` seconds until there are more.", {"type": "string"}
    ),
    "RateLimit-Policy": _header(
        "The limit of the project or key, if it has one: `q` requests in `w` seconds.", {"type": "string"}
    ),
    "Content-Disposition": _header(
        "`attachment` with a file name, the pass's serial number and `.pkpass`; only where the answer is the file.",
        {"type": "string", "examples": ['attachment; filename="aff7ffbf-04d7-4180-9da2-000000003039.pkpass"']},
    ),
    "Cache-Control": _header("How long the answer may be kept.", {"type": "string"}),
    "ETag": _header("What the content is called; it changes with it.", {"type": "string"}),
    "Last-Modified": _header("When the pass changed last; only where the answer is the file.", {"type": "string"}),
    "Passel-Signing-Secret": _header("With what callbacks are signed; only when it is made.", {"type": "string"}),
    "Retry-After": _header("After how many seconds to try again.", _POSITIVE, required=True),
    "Set-Cookie": _header("Names the visitor's pass; only when it is new.", {"type": "string"}),
    "WWW-Authenticate": _header("How to authenticate.", {"type": "string"}, required=True),
    "X-Next-Page": _header("The next page; absent on the last page and past it.", _POSITIVE),
    "X-Offset": _header("The rows that were skipped.", _COUNT, required=True),
    "X-Page": _header("The page that was asked for.", _POSITIVE, required=True),
    "X-Per-Page": _header("The rows of a full page.", _POSITIVE, required=True),
    "X-Prev-Page": _header("The page before; absent on page 1.", _POSITIVE),
    "X-Total": _header("All rows that the filters let through.", _COUNT, required=True),
    "X-Total-Pages": _header("All pages.", _COUNT, required=True),
}

SECURITY: Final[Mapping[str, tuple[str, ...]]] = {
    "airship": ("basic", "api_key"),
    "passworks": ("basic",),
    "passkit": ("pass_token",),
}
"""by dialect: any one of these"""

SECURITY_SCHEMES: Final[dict[str, Document]] = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The key as user name and its secret as password. A pair is good for both dialects.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "The secret alone, in the Airship dialect; on POST and PUT also as the form field `api_key`.",
    },
    "pass_token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": (
            "`ApplePass <token>`, where the token is the pass's `authenticationToken`. Wallets of Android say"
            " `AndroidPass`, `WalletPass` or `AttidoPass` in place of `ApplePass`."
        ),
    },
}

_TEXTS: Final[Mapping[int, str]] = {
    400: "A value is wrong, or the request cannot be carried out as it stands.",
    401: "Credentials are missing or wrong.",
    404: "What the path names does not exist.",
    406: "There is no body that can be read, or it is of a type that is not.",
    410: "No passes are issued here at present.",
    412: "The state of things does not allow it, or what is to be deleted does not exist.",
    422: "A value is wrong.",
    409: "A request with the same Idempotency-Key is still at work.",
    429: "Too many requests.",
    500: "A fault of the server's.",
    503: "Too many writers at once, or storage does not answer. The same request may succeed later.",
}
_PASSWORKS_TEXTS: Final[Mapping[int, str]] = {
    400: "The body is no JSON.",
    503: (
        "Too many writers at once, too many requests (10429), a request with the same Idempotency-Key at work, or"
        " storage does not answer. The same request may succeed later."
    ),
}
_AIRSHIP_TEXTS: Final[Mapping[int, str]] = {
    412: "The pass has changed since it was read (`If-Match`).",
    422: "The Idempotency-Key was used for another request.",
}

_AIRSHIP_DETAILS: Final[Mapping[int, str]] = {
    400: "pageSize: must be a whole number from 1 to 1000, not '0'",
    401: "credentials are required",
    404: "pass 12345 was not found",
    406: "a JSON body is required",
    409: "the first request with this Idempotency-Key is still at work",
    412: "the pass has changed since it was read; read it again (If-Match)",
    422: "Idempotency-Key: was sent with another request before; each request needs a key of its own",
    429: "the project may make 10 requests a second, 20 at once",
    500: "an unexpected error occurred",
    503: "too many writers at once",
}
_PASSWORKS_BODIES: Final[Mapping[int, tuple[int, str, Mapping[str, Any]]]] = {
    400: (errors.BAD_REQUEST, "the body is not valid JSON", {}),
    401: (errors.BAD_CREDENTIALS, "credentials are required", {}),
    404: (errors.NOT_FOUND, "Campaign not found.", {"campaign": "Campaign not found."}),
    412: (errors.NOT_REDEEMABLE, "Pass already redeemed", {"pass": "Pass already redeemed"}),
    422: (errors.INVALID, "Validation failed", {"name": ["can't be blank"]}),
    500: (errors.SERVER_FAULT, "an unexpected error occurred", {}),
    503: (errors.SERVER_FAULT, "too many writers at once", {}),
}

_ERROR_MODELS: Final[Mapping[str, str]] = {
    "airship": "airship_answers.AirshipError",
    "passworks": "passworks_answers.PassworksError",
    "passkit": "wallet_answers.WalletError",
    "google": "wallet_answers.WalletError",
    "description": "wallet_answers.WalletError",
}
"""by dialect; other errors are pages"""

_KNOWN: Final[Mapping[str, tuple[int, ...]]] = {
    "airship": tuple(status for status in errors.AIRSHIP_DESCRIPTIONS if status not in (405, 504)),
    "passworks": (400, *dict.fromkeys(sorted(status for _, status, _ in errors.PASSWORKS_CODES if status != 400)), 500),
    "passkit": (400, 401, 404, 500, 503),
    "google": (400, 500, 503),
    "pages": (400, 404, 410, 500, 503),
    "description": (400, 404, 500, 503),
}
_RETRIED: Final = (409, 429, 503)
_OF_ACCOUNTS: Final = ("RateLimit", "RateLimit-Policy")
"""headers of every answer to a project or key that has a limit"""


def shares_of(operation: Operation) -> Iterator[Share]:
    """What an operation has in common with others."""
    for name in operation.declared.shares:
        yield SHARES[name]
    if is_tagged(operation):
        yield SHARES["tagged read"]


def is_tagged(operation: Operation) -> bool:
    """Whether it is a read by an account that is answered with JSON: each of these has a tag."""
    media = operation.declared.answers.get(200) or ()
    is_json = bool(media) and not any("/" in kind for kind in ((media,) if isinstance(media, str) else media))
    return operation.method == "GET" and is_json and not operation.open_to_all and _has_account(operation)


def _has_account(operation: Operation) -> bool:
    return operation.dialect in ("airship", "passworks")


def parameters_of(operation: Operation) -> list[Document]:
    """References to the parameters that an operation has in common with others."""
    names = ["Api-Revision"] if operation.revision else []
    names += [name for share in shares_of(operation) for name in share.parameters]
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def headers_of(operation: Operation, *, has_body: bool = False) -> list[str]:
    """The names of the headers of a success."""
    found = [name for share in shares_of(operation) for name in share.headers]
    if has_body:
        found += [name for share in shares_of(operation) for name in share.headers_of_bodies]
    limited = not operation.open_to_all or 401 in operation.declared.refuses
    return [*found, *(_OF_ACCOUNTS if limited and _has_account(operation) else ())]


def refusals_of(operation: Operation) -> list[int]:
    """The statuses of all refusals that an operation may be answered with."""
    found = {500, 503, *operation.declared.refuses}
    found.update(status for share in shares_of(operation) for status in share.refuses)
    if "{" in operation.path:
        found.add(404)
    if not operation.open_to_all and operation.dialect in SECURITY:
        found.add(401)
    if 401 in found:
        # also where credentials are one way in among others
        found.add(429)
    found.update(_RULES[_kind_of(operation)](operation))
    return sorted(found & set(_KNOWN[_kind_of(operation)]))


def _of_airship(operation: Operation) -> set[int]:
    return {400} | ({406} if operation.method != "GET" else set())


def _of_passworks(operation: Operation) -> set[int]:
    reads = operation.declared.body is not None
    return ({400} if reads else set()) | (set() if operation.open_to_all else {422})


def _of_wallets(operation: Operation) -> set[int]:
    return {400}


def _of_pages(operation: Operation) -> set[int]:
    return {410} if "{" in operation.path else set()


_RULES: Final = {
    "airship": _of_airship,
    "passworks": _of_passworks,
    "passkit": _of_wallets,
    "google": _of_wallets,
    "pages": _of_pages,
    "description": _of_wallets,
}


def refusal(operation: Operation, status: int) -> str:
    """The name of the component that describes a refusal."""
    return f"{_kind_of(operation).capitalize()}{status}"


def _kind_of(operation: Operation) -> str:
    """The dialect, by which errors differ; this description's own routes are read by programs too."""
    return "description" if operation.module.startswith("chalicelib.api.description") else operation.dialect


def responses(models: Models) -> dict[str, Document]:
    """All refusals, by name."""
    found = {}
    for dialect, statuses in _KNOWN.items():
        for status in statuses:
            texts = {"passworks": _PASSWORKS_TEXTS, "airship": _AIRSHIP_TEXTS}.get(dialect, {})
            answer: Document = {"description": texts.get(status) or _TEXTS[status]}
            names = ["Retry-After"] if status in _RETRIED else []
            names += ["WWW-Authenticate"] if (dialect, status) == ("passworks", 401) else []
            names += _OF_ACCOUNTS if dialect in ("airship", "passworks") else []
            if names:
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
            if dialect in _ERROR_MODELS:
                media: Document = {"schema": models.refer(_ERROR_MODELS[dialect])}
                answer["content"] = {"application/json": media | _example(dialect, status)}
            else:
                answer["content"] = {"text/html": {"schema": {"type": "string"}}}
            found[f"{dialect.capitalize()}{status}"] = answer
    return found


def _example(dialect: str, status: int) -> Document:
    """A refusal with that status, made as the service makes it."""
    if dialect == "airship" and status in _AIRSHIP_DETAILS:
        return {"example": errors.airship_body(status, _AIRSHIP_DETAILS[status])}
    if dialect == "passworks" and status in _PASSWORKS_BODIES:
        code, message, problems = _PASSWORKS_BODIES[status]
        body = errors.passworks_body(status=status, error_code=code, message=message, errors=problems)
        return {"example": body}
    return {}
