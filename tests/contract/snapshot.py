"""Everything the API shows of a project, to prove that a refused request changed nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.support.stack import Tenant

_WHOLE = {"pageSize": 1000}


def take_snapshot(tenant: Tenant) -> dict[str, Any]:
    """Every list and object of a small project, by path."""
    seen: dict[str, Any] = {}

    def look(path: str, **params: Any) -> Any:
        seen[path] = tenant.call("GET", path, params=params)
        return seen[path]

    for tag in look("/v1/tag", **_WHOLE)["tags"]:
        look(f"/v1/tag/{quote(tag['tag'], safe='')}/passes", **_WHOLE)
    for header in look("/v1/template/headers", **_WHOLE)["templateHeaders"]:
        look(f"/v1/template/{header['id']}")
        look(f"/v1/template/{header['id']}/passes", **_WHOLE)
    for listed in look("/v1/pass", **_WHOLE)["passes"]:
        look(f"/v1/pass/{listed['id']}")
        look(f"/v1/pass/{listed['id']}/tags")
    return seen
