"""Checks of our own, and which findings of Schemathesis's are none."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import Case, CheckContext
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.openapi.checks import JsonSchemaError, RejectedPositiveData, UseAfterFree

from chalicelib.api.bodies import FORM
from chalicelib.api.keyed_requests import REPLAYED
from tests.fuzz.exclusions import is_excluded
from tests.fuzz.hooks import Hooks, find_operation, fits_its_text, is_linked
from tests.fuzz.refusals import Refusal, find_refusal


@schemathesis.check
def what_is_there_is_found(context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """No 404 for what we have made, or for what a link leads to, as long as nobody has deleted anything meanwhile.

    Schemathesis has a check for links (`ensure_resource_availability`), but for operations without other parameters.
    """
    if response.status_code != 404 or case.method.upper() != case.operation.method.upper():
        return None
    if is_excluded("what_is_there_is_found", case.operation.label):
        return None
    if case.id in Hooks.named or (is_linked(case) and not _is_anything_gone(context)):
        raise AssertionError("404 for what is there")
    return None


def _is_anything_gone(context: CheckContext) -> bool:
    recorder = context.internals.recorder
    if recorder is None:
        return False
    for each in recorder.find_all_cases():
        answer = recorder.find_response(case_id=each.id)
        if answer is None:
            continue
        # an answer given again may name what was deleted since the first time
        if REPLAYED.lower() in answer.headers or (each.method.upper() == "DELETE" and answer.status_code < 300):
            return True
    return False


def find_excuse(failure: Failure, case: Case[Any], response: Response) -> Refusal | str | None:
    """Why a failure is none; None if it is one."""
    if isinstance(failure, AcceptedNegativeData):
        return "unknown parameter" if _just_says_more(case) else None
    if isinstance(failure, JsonSchemaError):
        return "answer of the gateway" if _is_of_the_gateway(response) else None
    if isinstance(failure, UseAfterFree):
        return _excuse_for_tag(failure.operation, case)
    operation = find_operation(case)
    if not isinstance(failure, RejectedPositiveData) or operation is None:
        return None
    if case.media_type == FORM and not fits_its_text(case):
        return "no JSON in a form"
    return find_refusal(operation.dialect, case.operation.label, response)


def _excuse_for_tag(deleted_by: str | None, case: Case[Any]) -> str | None:
    """Tags are there again as soon as a pass has them, and an emptied one stays (airship-wallet-v1, 4.9)."""
    if deleted_by == "DELETE /v1/tag/{tag}/passes":
        return "emptied tag"
    is_made_again = str(case.path_parameters.get("tag")) not in Hooks.deleted_tags
    return "tag named again" if deleted_by == "DELETE /v1/tag/{tag}" and is_made_again else None


def _just_says_more(case: Case[Any]) -> bool:
    """Whether all that is wrong is a parameter that nobody knows: such are ignored (airship-wallet-v1, 4)."""
    data = case.meta.phase.data if case.meta else None
    return (
        isinstance(data, CoveragePhaseData)
        and data.scenario is CoverageScenario.OBJECT_UNEXPECTED_PROPERTIES
        and data.parameter_location is not ParameterLocation.BODY
    )


def _is_of_the_gateway(response: Response) -> bool:
    """Whether the answer comes from before any operation, with the keys of both dialects (`gateway_responses.py`)."""
    body = response.json() if response.content.startswith(b"{") else {}
    return {"code", "status_code"} <= body.keys() and body["code"] == body["status_code"] == response.status_code
