"""The three forms in which a path names a pass: by id, by external id, by template and external id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import queries
from chalicelib.api.airship.entry import AirshipRequest, View, route


def pass_route(blueprint: Blueprint, suffix: str, *, methods: Sequence[str]) -> Callable[[View], View]:
    """Registers a view for a pass under all three forms; it gets the request and a `PassReference`."""

    def register(view: View) -> View:
        def by_id(request: AirshipRequest, identifier: str, **more: str) -> Any:
            return view(request, queries.pass_by_id(identifier), **more)

        def by_external_id(request: AirshipRequest, external_id: str, **more: str) -> Any:
            return view(request, queries.pass_by_external_id(external_id), **more)

        def in_template(request: AirshipRequest, template_id: str, external_id: str, **more: str) -> Any:
            return view(request, queries.pass_in_template(template_id, external_id), **more)

        for path, form in (
            ("/v1/pass/{identifier}", by_id),
            ("/v1/pass/id/{external_id}", by_external_id),
            ("/v1/pass/template/{template_id}/id/{external_id}", in_template),
        ):
            form.__name__ = f"{view.__name__}_{form.__name__}"
            route(blueprint, path + suffix, methods=methods)(form)
        return view

    return register
