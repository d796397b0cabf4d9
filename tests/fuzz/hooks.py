"""What is done to a request before it is sent: it gets the names of real things, and credentials.

A request that is wrong on purpose stays wrong: only the parts of it that are right are touched. One in `PLAIN` is sent
as it was drawn.
"""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final

from jsonschema import Draft202012Validator
from schemathesis import AuthContext, Case, HookContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation.hypothesis.examples import generate_one
from schemathesis.generation.meta import TestPhase
from schemathesis.schemas import BaseSchema

from chalicelib.api.bodies import FORM
from chalicelib.api.declared import OPERATIONS, OWN_ROOT, Operation
from chalicelib.schemas.passworks import ROOTS
from tests.contract.raw_http import basic
from tests.fuzz.world import PICTURE, Kind, World
from tests.support.described import resolve, validator

PLAIN: Final = 6

NEW: Final = "new_external_id"
"""the kind of path parameters that name what is to be made"""

_LONGEST: Final = 100
"""characters of a value that is made unique; longer ones are there to reach a limit"""

_ALIASES: Final = {"event_tickers": "event_tickets"}

_SPOILING: Final = ("/archive", "/pause", "/merge")

_numbers = itertools.count(1)


class Hooks:
    """Registers itself with a schema."""

    named: ClassVar[set[str]] = set()
    """ids of the requests whose path names only what is there"""

    deleted_tags: ClassVar[set[str]] = set()
    """by the names under which they were deleted; who names one again makes it again"""

    def __init__(self, schema: BaseSchema, world: World) -> None:
        self._world = world
        schema.hooks.register_hook_with_name(self._fill_in, "map_case")
        schema.hooks.register_hook_with_name(self._fill_in_examples, "before_add_examples")
        schema.hooks.register_hook_with_name(self._look_what_is_gone, "after_call")

    def _fill_in_examples(self, context: HookContext, examples: list[Case[Any]]) -> None:
        """One at least for each operation, all of which are to succeed."""
        if not examples and context.operation is not None:
            examples.append(generate_one(context.operation.as_strategy(phase=TestPhase.EXAMPLES)))
        for case in examples:
            self._fill_in(context, case)

    def _fill_in(self, context: HookContext, case: Case[Any]) -> Case[Any]:
        operation = find_operation(case)
        if case.meta is None or operation is None:
            return case
        _fill_in_headers(case)
        if self._may_name(case):
            self._fill_in_path(case, operation)
        self._fill_in_body(case, operation)
        return case

    def _may_name(self, case: Case[Any]) -> bool:
        return (
            _is_right(case, ParameterLocation.PATH)
            and not is_linked(case)
            and not _is_plain(case, case.path_parameters)
            and case.id not in self.named
        )

    def _fill_in_path(self, case: Case[Any], operation: Operation) -> None:
        kinds = {name: kind_of(operation, name) for name in case.path_parameters}
        asked = str(case.path_parameters.get("campaign_type", ""))
        if ("passkit", "serial_number") in kinds.values():
            belongings = self._world.device_set
        elif operation.name.startswith("delete_template"):
            belongings = self._world.make_empty()
        else:
            campaign_type = asked if asked in ROOTS else _ALIASES.get(asked)
            belongings = self._world.take(campaign_type, is_own=operation.method == "DELETE")
        if operation.name == "resume_campaign":
            self._world.pause(belongings)
        names = {name: self._world.name(belongings, kind) for name, kind in kinds.items()}
        new = {name: _make_unique(value) for name, value in case.path_parameters.items() if kinds[name][1] == NEW}
        known = {name: value for name, value in names.items() if value is not None}
        if known or new:
            case.path_parameters = case.path_parameters | known | new
        if known and len(known) + len(new) == len(kinds):
            self.named.add(case.id)

    def _fill_in_body(self, case: Case[Any], operation: Operation) -> None:
        body = case.body
        declared = operation.declared.body
        if not isinstance(body, dict) or declared is None:
            return
        changed = dict(body)
        if OWN_ROOT in declared.roots:
            changed = _with_root_of(changed, str(case.path_parameters.get("campaign_type", "")))
        if case.media_type == FORM and _is_right(case, ParameterLocation.BODY) and not fits_its_text(case):
            changed["json"] = json.dumps(find_example(case))
        if _is_right(case, ParameterLocation.BODY) and not _is_plain(case, body):
            asked = str(case.path_parameters.get("campaign_type", ""))
            changed = self._with_real_ids(changed, asked if asked in ROOTS else "coupons")
        if changed != body:
            case.body = changed

    def _with_real_ids(self, value: Any, campaign_type: str) -> Any:
        """The same with ids of things that there are, and names that nobody has."""
        if isinstance(value, list):
            return [self._with_real_ids(each, campaign_type) for each in value]
        if not isinstance(value, dict):
            return value
        found = {key: self._with_real_ids(each, campaign_type) for key, each in value.items()}
        for key, each in found.items():
            if key == "json" and isinstance(each, str):
                found[key] = self._with_real_ids_inside(each, campaign_type)
            elif isinstance(each, str) and each and (real := self._find_id(key, campaign_type)) is not None:
                found[key] = real
            elif isinstance(each, str) and key in ("name", "externalId"):
                found[key] = _make_unique(each)
            elif key == "baseUrl":
                found[key] = "https://callbacks.example"
            elif key == "pushToken":
                found[key] = f"token{next(_numbers)}"
            elif key == "asset[file]":
                found[key] = PICTURE
        return found

    def _with_real_ids_inside(self, text: str, campaign_type: str) -> str:
        try:
            return json.dumps(self._with_real_ids(json.loads(text), campaign_type))
        except ValueError:
            return text

    def _find_id(self, key: str, campaign_type: str) -> str | None:
        if key in ("icon_id", "logo_id", "strip_id", "thumbnail_id", "background_id", "footer_id"):
            return self._world.find_asset()
        if key == "template_id":
            return self._world.find_look(campaign_type)
        return self._world.name(self._world.device_set, ("passworks", key)) if key == "certificate_id" else None

    def _look_what_is_gone(self, context: HookContext, case: Case[Any], response: Response) -> None:
        if response.status_code >= 300:
            return
        if case.operation.label == "DELETE /v1/tag/{tag}":
            self.deleted_tags.add(str(case.path_parameters["tag"]))
        elif case.method.upper() in ("POST", "PUT"):
            named = {tag for tag in self.deleted_tags if tag in str(case.body)}
            self.deleted_tags.difference_update(named)
        if _spoils(case):
            self._world.forget(case.path_parameters)
            if case.path.startswith(("/v2/templates", "/v2/assets")):
                self._world.forget_images()


def _spoils(case: Case[Any]) -> bool:
    """Whether what the path names is not what it was: gone, called otherwise, in another state, without locations."""
    method = case.method.upper()
    if method == "DELETE" or case.path.endswith(_SPOILING):
        return True
    is_parent = case.path.startswith("/v1/template") or case.path.endswith("/{campaign_id}")
    return method in ("PUT", "PATCH", "POST") and (is_parent or "locations" in json.dumps(case.body, default=str))


def find_operation(case: Case[Any]) -> Operation | None:
    """What the route declares that a case is for."""
    return OPERATIONS.get((case.operation.method.upper(), case.operation.path))


def kind_of(operation: Operation, name: str) -> Kind:
    """What a path parameter names."""
    kind = operation.declared.names.get(name, name)
    if kind == "location_id" and operation.path.startswith("/v1/template"):
        kind = "template_location"
    return operation.dialect, kind


def _is_right(case: Case[Any], location: ParameterLocation) -> bool:
    return case.meta is not None and not case.meta.is_negative_at(location)


def is_linked(case: Case[Any]) -> bool:
    """Whether links have given all that the path needs: then nothing of it was drawn."""
    meta = case.meta
    return meta is not None and meta.phase.name is TestPhase.STATEFUL and ParameterLocation.PATH not in meta.components


def _is_plain(case: Case[Any], value: object) -> bool:
    """The same for the same value, so that a search can repeat what it found. Examples are there to succeed."""
    if case.meta is not None and case.meta.phase.name is TestPhase.EXAMPLES:
        return False
    return zlib.crc32(repr(value).encode("utf-8", "surrogatepass")) % PLAIN == 0


def fits_its_text(case: Case[Any]) -> bool:
    """Whether a form's text is the JSON that the description says it is; who makes up cases does not look at that."""
    text = case.body.get("json") if isinstance(case.body, dict) else None
    try:
        document = json.loads(text if isinstance(text, str) else "")
    except ValueError:
        return False
    return bool(_text_of_form(case.operation.path, case.operation.method).is_valid(document))


@cache
def _text_of_form(path: str, method: str) -> Draft202012Validator:
    content = ("requestBody", "content", FORM, "schema", "properties", "json", "contentSchema")
    return validator(("paths", path, method.lower(), *content))


def find_example(case: Case[Any]) -> Any:
    """An example of the JSON that an operation takes."""
    schema = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
    return resolve(schema.get("anyOf", [schema])[0])["examples"][0]


def _make_unique(value: Any) -> Any:
    return f"{value}-{next(_numbers)}" if isinstance(value, str) and value.strip() and len(value) <= _LONGEST else value


def _fill_in_headers(case: Case[Any]) -> None:
    if not _is_right(case, ParameterLocation.HEADER):
        return
    if (key := case.headers.get("Idempotency-Key")) is not None and not _is_plain(case, key):
        case.headers["Idempotency-Key"] = _make_unique(key)
    if (tag := case.headers.get("If-Match")) is not None and not _is_plain(case, tag):
        case.headers["If-Match"] = "*"


def _with_root_of(body: Mapping[str, Any], campaign_type: str) -> dict[str, Any]:
    """The same under the root key of the type that the path names, which no schema can tie together."""
    root = ROOTS.get(_ALIASES.get(campaign_type, campaign_type))
    others = [name for name in ROOTS.values() if name in body]
    if root is None or root in body or not others:
        return dict(body)
    return {root if key == others[0] else key: value for key, value in body.items() if key not in others[1:]}


def add_credentials(schema: BaseSchema, world: World) -> None:
    """Gives each request what its operation asks for: the pair of the project, or the token of the pass."""
    pair = basic(world.tenant)

    class Credentials:
        def get(self, case: Case[Any], context: AuthContext) -> str | None:
            operation = find_operation(case)
            if operation is None or not case.operation.definition.raw.get("security"):
                return None
            return f"ApplePass {world.token}" if operation.dialect == "passkit" else pair

        def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
            case.headers["Authorization"] = data

    schema.auth(refresh_interval=None)(Credentials)
