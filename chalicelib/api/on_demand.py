"""The routes by how their paths begin: a blueprint is imported when the first request for one of its paths comes.

A function of Lambda answers few kinds of requests in its life, and waits in a cold start for whatever is imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chalice import Blueprint, Chalice

Owners = Callable[[], Iterator[Blueprint]]
"""the blueprints that a path may belong to, likeliest first, each imported as it is asked for"""


def _passes() -> Iterator[Blueprint]:
    from chalicelib.api.airship.tags import tags

    yield tags
    from chalicelib.api.airship.passes import passes

    yield passes
    from chalicelib.api.airship.downloads import downloads

    yield downloads


def _templates() -> Iterator[Blueprint]:
    from chalicelib.api.airship.templates import templates

    yield templates
    from chalicelib.api.airship.passes import passes

    yield passes


def _projects() -> Iterator[Blueprint]:
    from chalicelib.api.airship.templates import templates

    yield templates
    from chalicelib.api.airship.callbacks import callbacks

    yield callbacks


def _tickets() -> Iterator[Blueprint]:
    from chalicelib.api.airship.tickets import tickets

    yield tickets


def _devices() -> Iterator[Blueprint]:
    from chalicelib.api.passkit.devices import devices

    yield devices


def _latest_passes() -> Iterator[Blueprint]:
    from chalicelib.api.passkit.passes import latest_passes

    yield latest_passes
    from chalicelib.api.passkit.personalization import personalization

    yield personalization


def _device_logs() -> Iterator[Blueprint]:
    from chalicelib.api.passkit.logs import logs

    yield logs


def _google() -> Iterator[Blueprint]:
    from chalicelib.api.google.callbacks import google

    yield google


def _account() -> Iterator[Blueprint]:
    from chalicelib.api.passworks.ping import ping

    yield ping
    from chalicelib.api.passworks.assets import assets

    yield assets
    from chalicelib.api.passworks.certificates import certificates

    yield certificates
    from chalicelib.api.passworks.templates import passworks_templates

    yield passworks_templates


def _campaigns() -> Iterator[Blueprint]:
    from chalicelib.api.passworks.registrations import registrations

    yield registrations
    from chalicelib.api.passworks.campaigns import campaigns

    yield campaigns
    from chalicelib.api.passworks.passes import campaign_pass_routes

    yield campaign_pass_routes
    from chalicelib.api.passworks.redeems import redeems

    yield redeems
    from chalicelib.api.passworks.reports import reports

    yield reports


def _pages() -> Iterator[Blueprint]:
    from chalicelib.api.pages import pages

    yield pages


def _uploads() -> Iterator[Blueprint]:
    from chalicelib.api.uploads import uploads

    yield uploads


def _description() -> Iterator[Blueprint]:
    from chalicelib.api.description.routes import description

    yield description


OWNERS: Final[Mapping[str, Owners]] = {
    "v1/pass": _passes,
    "v1/tag": _passes,
    "v1/template": _templates,
    "v1/project": _projects,
    "v1/ticket": _tickets,
    "v1/system": _tickets,
    "v1/devices": _devices,
    "v1/passes": _latest_passes,
    "v1/log": _device_logs,
    "v1/google": _google,
    "v2": _account,
    "v2/{campaign_type}": _campaigns,
    "p": _pages,
    "uploads": _uploads,
    "openapi.json": _description,
    "docs": _description,
}
"""by the first segments of a path; of several the longest counts"""


class Routes(defaultdict[str, dict[str, Any]]):
    """Chalice's table of routes (path to method to entry), which finds a path's blueprint when it is asked for it.

    No path belongs to two blueprints; a test walks all of them.
    """

    def __init__(self, app: Chalice, owners: Mapping[str, Owners] = OWNERS) -> None:
        super().__init__(dict)
        self._app = app
        self._owners = owners
        self._registered: set[int] = set()
        self._is_registering = False

    def __missing__(self, path: str) -> dict[str, Any]:
        """The methods of a path that nobody has asked for yet; none if there is no such path."""
        if not self._is_registering:
            for blueprint in self.find_owners(path)():
                self.register(blueprint)
                if path in self:
                    return self[path]
        self[path] = {}
        return self[path]

    def find_owners(self, path: str) -> Owners:
        """The blueprints that a path may belong to; none if nothing begins like it."""
        segments = path.strip("/").split("/")[:2]
        return self._owners.get("/".join(segments)) or self._owners.get(segments[0]) or _nobody

    def register(self, blueprint: Blueprint) -> None:
        """Registers a blueprint, unless that was done."""
        if id(blueprint) in self._registered:
            return
        self._registered.add(id(blueprint))
        self._is_registering = True
        try:
            self._app.register_blueprint(blueprint)
        finally:
            self._is_registering = False

    def register_all(self) -> None:
        """Registers every blueprint: for the packager, and for whoever looks at the table as a whole."""
        for owners in self._owners.values():
            for blueprint in owners():
                self.register(blueprint)


def _nobody() -> Iterator[Blueprint]:
    return iter(())
