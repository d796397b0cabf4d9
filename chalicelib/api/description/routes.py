"""`/openapi.json` and `/docs`: the description of the API, and a viewer of ours for it. Both are open to all.

`make openapi` writes the description (`openapi/`). The page knows its files by relative addresses, so that it works
below the gateway's stage, and needs no other host.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from chalice import Blueprint, Response

from chalicelib.api.conditional import answer_if_changed
from chalicelib.api.requests import JSON, ApiRequest, decode, page_route
from chalicelib.domain.errors import NotFound
from chalicelib.errors import wallet_answer

description = Blueprint(__name__)

BASE_URL: Final = "https://passel.example"
"""stands in the file where the address belongs by which a client came"""

VERSION: Final = "5.35.0-1"
"""of the viewer's files: Swagger UI's, and ours of `start.js`"""

HTML: Final = "text/html"
CSS: Final = "text/css"
SCRIPT: Final = "text/javascript"
"""what is compressed is sent as bytes: `app.py` names both among the binary types"""

_FOLDER: Final = Path(__file__).parent
_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "swagger-ui-bundle.js": ("swagger-ui-bundle.js.gz", SCRIPT),
    "swagger-ui.css": ("swagger-ui.css.gz", CSS),
    "start.js": ("start.js", SCRIPT),
}
"""name in the address to the file and its type; those that end in `.gz` are compressed"""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""`unsafe-inline` for styles alone: the viewer gives its elements their sizes by attributes"""

_FIVE_MINUTES: Final = "public, max-age=300"
_FOR_EVER: Final = "public, max-age=31536000, immutable"

_route = partial(page_route, description, explain=wallet_answer)


@_route("/openapi.json", operation="get_description", answers={200: JSON, 304: None}, shares=("tagged",))
def get_description(request: ApiRequest) -> Response:
    """Get this description

    As OpenAPI 3.1. `servers` has the address that it was asked for under.
    """
    headers: dict[str, str | list[str]] = {"Content-Type": JSON, "Cache-Control": _FIVE_MINUTES}
    response = Response(body=_describe(request.base_url), status_code=200, headers=headers)
    return answer_if_changed(response, known=request.header("if-none-match"))


@lru_cache(maxsize=8)
def _describe(base_url: str) -> str:
    """The document for a server."""
    text = (_FOLDER / "openapi.json").read_text(encoding="utf-8")
    return text.replace(f'"url": "{BASE_URL}"', f'"url": {json.dumps(base_url)}', 1)


@_route("/docs", operation="open_viewer", answers={200: HTML})
def open_viewer(request: ApiRequest) -> Response:
    """Read this description in a browser

    A page that lists all operations and can try them. It loads nothing from other hosts.
    """
    up = "../" if request.asked_path.endswith("/") else ""
    page = (_FOLDER / "viewer" / "page.html").read_text(encoding="utf-8")
    page = page.replace("{files}", f"{up}docs/{VERSION}").replace("{description}", f"{up}openapi.json")
    headers: dict[str, str | list[str]] = {
        "Content-Type": f"{HTML}; charset=utf-8",
        "Cache-Control": _FIVE_MINUTES,
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "no-referrer",
    }
    return Response(body=page, status_code=200, headers=headers)


@_route("/docs/{version}/{asset}", operation="get_viewer_file", answers={200: (SCRIPT, CSS)}, shares=("kept for ever",))
def get_viewer_file(request: ApiRequest, version: str, asset: str) -> Response:
    """Get a file of the viewer

    A script or style sheet of the page `/docs`, which names the current version. It may be kept for ever.
    """
    name = decode(asset)
    if decode(version) != VERSION or name not in _FILES:
        raise NotFound("file", name[:40])
    file, content_type = _FILES[name]
    content = (_FOLDER / "viewer" / file).read_bytes()
    headers: dict[str, str | list[str]] = {
        "Content-Type": f"{content_type}; charset=utf-8",
        "Cache-Control": _FOR_EVER,
        "Vary": "Accept-Encoding",
    }
    if file.endswith(".gz"):
        if "gzip" in (request.header("accept-encoding") or "").lower():
            headers["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    return Response(body=content, status_code=200, headers=headers)
