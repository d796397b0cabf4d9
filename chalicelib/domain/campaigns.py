"""What Passworks clients see in a template beyond what Airship clients do (passworks-v2, section 6)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

SEQUENTIAL_CODE_DIGITS = 8

LONGEST_CODE_BYTES = 1024
"""of a redeem code that a caller supplies: passes are found by it, and keys of an index are short"""


class CampaignState(StrEnum):
    """Whether passes are issued (passworks-v2, sections 6 and 12)."""

    PUBLISHED = "published"
    PAUSED = "paused"
    ARCHIVED = "archived"


class CodeType(StrEnum):
    """Where redeem codes come from; the spelling is the contract's."""

    SEQUENTIAL = "sequencial"
    FIXED = "fixed"
    LIST = "list"
    PER_PASS = "per_pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOptions:
    """Settings of a template that no pass shows. The defaults are those of a template made in the other dialect."""

    state: CampaignState = CampaignState.PUBLISHED
    look_id: str | None = None
    """the Passworks template that the campaign was made from"""
    certificate_id: str | None = None
    """None is the project's default certificate"""
    code_type: CodeType = CodeType.SEQUENTIAL
    code_fixed_value: str | None = None
    allow_multiple_redeems: bool = False
    gwallet_usage: bool | None = None
    open_graph: bool = True
    open_graph_description: str = ""
    javascript: str | None = None
    """kept and given back, never run"""
    stylesheet: str | None = None
    sync_locations_on_merge: bool = True
    sync_beacons_on_merge: bool = True
    has_unique_name: bool = False
    """no other campaign has its name: so for campaigns, not for Airship templates"""
    codes_in_barcodes: bool = False
    """a pass whose barcode has no message shows its redeem code: so for campaigns, not for Airship templates"""

    def encode(self) -> str:
        """Compact JSON: the stored form, without what is at its default."""
        default = asdict(CampaignOptions())
        document = {name: value for name, value in asdict(self).items() if value != default[name]}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str | None) -> CampaignOptions:
        """The options that `encode` wrote."""
        document = json.loads(text) if text else {}
        if "state" in document:
            document["state"] = CampaignState(document["state"])
        if "code_type" in document:
            document["code_type"] = CodeType(document["code_type"])
        return cls(**document)


def sequential_code(number: int) -> str:
    """`00000001` for 1 (passworks-v2, section 6)."""
    return f"{number:0{SEQUENTIAL_CODE_DIGITS}d}"
