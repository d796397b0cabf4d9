"""Every Airship route with what its path names, so that rules which hold everywhere are tested everywhere.

`CALLS` and `WALLET_ROUTES` must name each `/v1` route of the app: a test compares them, so that a new route cannot be
forgotten.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.contract.samples import PLACE, TEMPLATE, new_pass, new_template
from tests.support.phones import PKPASS
from tests.support.stack import Tenant

_numbers = itertools.count(1)

NEW = frozenset({"new_name"})
"""kinds of path parameters that name nothing that must exist"""


@dataclass(frozen=True)
class Call:
    """What the parameters of a route name, in the order of the path, and a body that it accepts."""

    kinds: tuple[str, ...] = ()
    body: Any = None
    open_to_all: bool = False
    any_revision: bool = False
    content_type: str = "application/json"


UPDATE = {"fields": {"Points": {"value": "5"}}}
TAGS = {"tags": ["vip"]}
LOCATIONS = {"locations": [PLACE]}
CALLBACK = {"baseUrl": "https://callbacks.example", "headers": {}}

PASS_FORMS: dict[str, tuple[str, ...]] = {
    "/v1/pass/{}": ("pass",),
    "/v1/pass/id/{}": ("pass_name",),
    "/v1/pass/template/{}/id/{}": ("template", "pass_name"),
}
"""the ways of naming a pass, and what their parameters name"""

CALLS: dict[str, Call] = (
    {
        "GET /v1/system/status": Call(open_to_all=True, any_revision=True),
        "GET /v1/ticket/{}": Call(("ticket",), any_revision=True),
        "GET /v1/tag": Call(),
        "DELETE /v1/tag/{}": Call(("tag",)),
        "GET /v1/tag/{}/passes": Call(("tag",)),
        "PUT /v1/tag/{}/passes": Call(("tag",), UPDATE),
        "DELETE /v1/tag/{}/passes": Call(("tag",)),
        "DELETE /v1/tag/{}/pass/{}": Call(("tag", "pass")),
        "DELETE /v1/tag/{}/pass/id/{}": Call(("tag", "pass_name")),
        "GET /v1/pass": Call(),
        "POST /v1/pass/{}": Call(("template",), {}),
        "POST /v1/pass/id/{}": Call(("template_name",), {}),
        "POST /v1/pass/{}/id/{}": Call(("template", "new_name"), {}),
        "POST /v1/pass/id/{}/id/{}": Call(("template_name", "new_name"), {}),
        "POST /v1/pass/{}/bulk": Call(("template",), {"passes": [{}]}),
        "POST /v1/pass/id/{}/bulk": Call(("template_name",), {"passes": [{}]}),
        "POST /v1/template": Call((), TEMPLATE),
        "POST /v1/template/{}": Call(("project",), TEMPLATE),
        "POST /v1/template/{}/id/{}": Call(("project", "new_name"), TEMPLATE),
        "POST /v1/template/duplicate/{}": Call(("template",)),
        "POST /v1/template/duplicate/id/{}": Call(("template_name",)),
        "GET /v1/template/headers": Call(),
        "POST /v1/project/{}/settings/callback": Call(("project",), CALLBACK),
        "GET /v1/project/{}/settings/callback": Call(("project",)),
        "DELETE /v1/project/{}/settings/callback": Call(("project",)),
    }
    | {
        f"{method} {prefix}{suffix}": Call((*kinds, *more), body)
        for prefix, kinds in PASS_FORMS.items()
        for method, suffix, more, body in (
            ("GET", "", (), None),
            ("PUT", "", (), UPDATE),
            ("DELETE", "", (), None),
            ("GET", "/tags", (), None),
            ("PUT", "/tags", (), TAGS),
            ("POST", "/locations", (), LOCATIONS),
            ("DELETE", "/location/{}", ("location",), None),
            ("GET", "/viewJSONPass", (), None),
        )
    }
    | {
        # a person's browser sends no revision, and what it gets is no JSON
        f"GET {prefix}/download": Call(kinds, any_revision=True, content_type=PKPASS)
        for prefix, kinds in PASS_FORMS.items()
    }
    | {
        f"{method} {prefix}{suffix}": Call((kind, *more), body)
        for prefix, kind in {"/v1/template/{}": "template", "/v1/template/id/{}": "template_name"}.items()
        for method, suffix, more, body in (
            ("GET", "", (), None),
            ("PUT", "", (), TEMPLATE),
            ("DELETE", "", (), None),
            ("GET", "/passes", (), None),
            ("POST", "/locations", (), LOCATIONS),
            ("DELETE", "/location/{}", ("template_location",), None),
        )
    }
)
"""By method and path, with `{}` for each parameter."""

WALLET_ROUTES = frozenset(
    {
        "POST /v1/devices/{}/registrations/{}/{}",
        "DELETE /v1/devices/{}/registrations/{}/{}",
        "POST /v1/devices/{}/registrations_attido/{}/{}",
        "DELETE /v1/devices/{}/registrations_attido/{}/{}",
        "GET /v1/devices/{}/registrations/{}",
        "GET /v1/passes/{}/{}",
        "POST /v1/passes/{}/{}/personalize",
        "POST /v1/log",
        "POST /v1/google/callback",
        "POST /v1/google/callback/{}",
    }
)
"""Devices and Google call these. They have no account and no revision, prove themselves with a pass's token or a
signature, and read no error body, so that none of the dialect's rules holds for them (wallets, section 2)."""

DELETES_TEMPLATE = ("DELETE /v1/template/{}", "DELETE /v1/template/id/{}")
"""These need a template without passes."""


def routes_of_the_app() -> set[str]:
    """The app's own `/v1` routes, in the spelling of `CALLS`."""
    from app import app

    return {
        f"{method} {re.sub('{[^}]*}', '{}', path)}"
        for path, methods in app.routes.items()
        if path.startswith("/v1/")
        for method in methods
    }


@dataclass(frozen=True)
class Project:
    """A project with one of everything that a path can name; `names` is by kind."""

    tenant: Tenant
    names: Mapping[str, str] = field(default_factory=dict)


def furnish(tenant: Tenant, *, with_pass: bool = True) -> Project:
    """Fills a project. Names are unique over all projects, so that none of them is found in another by chance."""
    unique = next(_numbers)
    tenant.call("POST", f"/v1/project/{tenant.project_id}/settings/callback", json=CALLBACK)
    template_id = new_template(tenant, externalId=f"card {unique}")
    (place,) = tenant.call("POST", f"/v1/template/{template_id}/locations", json=[PLACE])
    names = {
        "project": str(tenant.project_id),
        "template": str(template_id),
        "template_name": f"card%20{unique}",
        "template_location": str(place["locationId"]),
    }
    if with_pass:
        pass_id = new_pass(tenant, template_id, externalId=f"pass {unique}", tag=f"gold {unique}")
        (place,) = tenant.call("POST", f"/v1/pass/{pass_id}/locations", json=[PLACE])
        names |= {
            "pass": str(pass_id),
            "pass_name": f"pass%20{unique}",
            "location": str(place["passLocationId"]),
            "ticket": str(tenant.call("PUT", f"/v1/pass/{pass_id}", json={})["ticketId"]),
            "tag": f"gold%20{unique}",
        }
    return Project(tenant, names)


def fill_in(route: str, names: Mapping[str, str], **instead: str) -> str:
    """The path of a route with a name for each parameter; `instead` replaces names by kind."""
    kinds = CALLS[route].kinds
    new = {kind: f"new-{next(_numbers)}" for kind in NEW}
    return route.split(" ")[1].format(*[(dict(names) | new | instead)[kind] for kind in kinds])


def perform(tenant: Tenant, route: str, path: str, **more: Any) -> httpx.Response:
    """A call of a route, with the body it accepts."""
    body = CALLS[route].body
    return tenant.request(route.split(" ")[0], path, json=body, **more)
