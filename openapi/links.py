"""Which operations go on from what another one made: OpenAPI's links, for readers and for tests that play stories.

A link follows from what an answer holds and from what path parameters name, so that no list of links has to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from chalicelib.api.declared import Operation

Document = dict[str, Any]

_TYPE: Final = "$request.path.campaign_type"

_MADE: Final[Mapping[str, Mapping[str, str]]] = {
    "airship_pass_answers.CreatedPass": {"pass_id": "$response.body#/id"},
    "airship_template_answers.StoredTemplate": {"template_id": "$response.body#/templateId"},
    "airship_answers.StartedTicket": {"ticket_id": "$response.body#/ticketId"},
    "airship_answers.AddedTags": {"tag": "$response.body#/newTags/0"},
    "passworks_answers.CampaignObject": {"campaign_id": "$response.body#/id", "campaign_type": _TYPE},
    "passworks_answers.PassObject": {
        "pass_id": "$response.body#/id",
        "campaign_id": "$response.body#/campaign_id",
        "campaign_type": _TYPE,
    },
    "passworks_answers.LookObject": {"look_id": "$response.body#/id"},
    "passworks_answers.AssetObject": {"asset_id": "$response.body#/id"},
}
"""by the model of an answer: what kinds of path parameters it gives values for"""

_MAKING: Final = ("create", "duplicate", "update", "add")
"""verbs of the operations that links start from"""


def describe(operation: Operation, operations: Iterable[Operation]) -> Document:
    """The links of an operation's success, by the name of the operation that each leads to."""
    answer = next((kind for kind in operation.declared.answers.values() if isinstance(kind, str)), "")
    made = _MADE.get(answer)
    if made is None or operation.name.partition("_")[0] not in _MAKING:
        return {}
    found = {}
    for target in operations:
        parameters = _fill_in(target, made)
        if target.dialect == operation.dialect and target.name != operation.name and parameters:
            found[target.name] = {"operationId": target.name, "parameters": parameters}
    return dict(sorted(found.items()))


def _fill_in(target: Operation, made: Mapping[str, str]) -> Document:
    """A value for each path parameter of an operation; none unless there is one for all, and one that was just made."""
    names = re.findall(r"{([a-z_]+)}", target.path)
    kinds = {name: target.declared.names.get(name, name).removesuffix("_or_alias") for name in names}
    if not all(kind in made for kind in kinds.values()) or next(iter(made)) not in kinds.values():
        return {}
    return {name: made[kind] for name, kind in kinds.items()}
