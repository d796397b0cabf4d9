"""The forms in which a path names a pass or a template: by id, by external id, by template and external id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from chalice import Blueprint

from chalicelib.api.airship import queries
from chalicelib.api.airship.entry import AirshipRequest, View, route
from chalicelib.api.declared import Says

_PASS = {"identifier": "pass_id", "external_id": "pass_external_id"}
_TEMPLATE = {"identifier": "template_id", "external_id": "template_external_id"}
"""path parameter to what it names"""


def pass_route(
    blueprint: Blueprint, suffix: str, *, methods: Sequence[str], takes_key: bool = False, **says: Unpack[Says]
) -> Callable[[View], View]:
    """Registers a view for a pass under its three forms; it gets the request and a `PassReference`."""

    def register(view: View) -> View:
        def by_id(request: AirshipRequest, identifier: str, **more: str) -> Any:
            return view(request, queries.pass_by_id(identifier), **more)

        def by_external_id(request: AirshipRequest, external_id: str, **more: str) -> Any:
            return view(request, queries.pass_by_external_id(external_id), **more)

        def in_template(request: AirshipRequest, template_id: str, external_id: str, **more: str) -> Any:
            return view(request, queries.pass_in_template(template_id, external_id), **more)

        forms: dict[str, View] = {
            "/v1/pass/{identifier}": by_id,
            "/v1/pass/id/{external_id}": by_external_id,
            "/v1/pass/template/{template_id}/id/{external_id}": in_template,
        }
        _register(blueprint, forms, suffix, methods, view, _naming(_PASS, says), takes_key)
        return view

    return register


def template_route(
    blueprint: Blueprint,
    suffix: str = "",
    *,
    methods: Sequence[str],
    prefix: str = "/v1/template",
    takes_key: bool = False,
    **says: Unpack[Says],
) -> Callable[[View], View]:
    """Registers a view for a template under its two forms; it gets the request and a `TemplateReference`."""

    def register(view: View) -> View:
        def by_id(request: AirshipRequest, identifier: str, **more: str) -> Any:
            return view(request, queries.template_by_id(identifier), **more)

        def by_external_id(request: AirshipRequest, external_id: str, **more: str) -> Any:
            return view(request, queries.template_by_external_id(external_id), **more)

        forms: dict[str, View] = {prefix + "/{identifier}": by_id, prefix + "/id/{external_id}": by_external_id}
        _register(blueprint, forms, suffix, methods, view, _naming(_TEMPLATE, says), takes_key)
        return view

    return register


def _naming(names: Mapping[str, str], says: Says) -> Says:
    return {**says, "names": {**names, **says.get("names", {})}}


def _register(
    blueprint: Blueprint,
    forms: Mapping[str, View],
    suffix: str,
    methods: Sequence[str],
    view: View,
    says: Says,
    takes_key: bool,
) -> None:
    for path, form in forms.items():
        form_name = form.__name__
        form.__name__, form.__doc__ = f"{view.__name__}_{form_name}", view.__doc__
        form.__module__ = view.__module__
        name = f"{says.get('operation') or view.__name__}_{form_name}"
        own: Says = {**says, "operation": name}
        route(blueprint, path + suffix, methods=methods, takes_key=takes_key, **own)(form)
