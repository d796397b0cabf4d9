"""What a team does in a month and what its stage is set to, as far as a bill depends on it; and three teams."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.registrations import Wallet

HOURS: Final = 730
"""of a month"""

MANY: Final = 100
"""passes that a system creates in one request"""

LARGEST_NUMBER: Final = 1e12
"""of anything, so that products of such numbers are numbers still"""
MOST_PASSES: Final = 10**10

MIX_TOLERANCE: Final = 0.001
MOST_TAGS: Final = 15
LARGEST_PASS_KB: Final = 70
"""the content of a pass has at most 64 KB"""

SHORT_NAMES: Final[Mapping[str, Wallet]] = MappingProxyType(
    {"apple": Wallet.PASSBOOK, "google": Wallet.GOOGLE_WALLET}
    | {str(wallet): wallet for wallet in Wallet if wallet not in (Wallet.PASSBOOK, Wallet.GOOGLE_WALLET)}
)
"""wallets as a mix names them"""


def _number(text: str, *, least: float = 0, most: float = LARGEST_NUMBER, grows: bool = False) -> Any:
    """A field of a workload: what it means, what it may be, and whether it grows with the number of passes."""
    return field(metadata={"text": text, "least": least, "most": most, "grows": grows})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One month of a team. Numbers without a unit are events of the month.

    Raises:
        InvalidRequest: a value cannot be; `field` names it.
    """

    passes: int = _number("Passes that are stored.", least=1, most=MOST_PASSES)
    tags: float = _number("Tags on a pass, on average.", most=MOST_TAGS)
    pass_kb: float = _number("Kilobytes of a stored pass, its content and 0.7 more.", least=0.7, most=LARGEST_PASS_KB)
    file_kb: float = _number("Kilobytes of a pass file as phones get it, images included.", least=1)
    devices_per_pass: float = _number("Devices that hold a pass, on average.", most=1000)
    wallet_mix: Mapping[Wallet, float] = field(
        metadata={"text": "Shares of the wallets on these devices, such as apple=0.6,google=0.3,wallet_passes=0.1."}
    )
    bulk_updates_per_month: float = _number("Bulk updates.")
    bulk_share: float = _number("Share of all passes that a bulk update reaches.", most=1)
    single_updates_per_month: float = _number("Updates of one pass.", grows=True)
    new_passes_per_month: float = _number("Passes that are created, one in a request.", grows=True)
    tag_changes_per_month: float = _number("Tags put on a pass or taken off.", grows=True)
    reads_per_month: float = _number("Passes read by the team's systems.", grows=True)
    lists_per_month: float = _number("Pages of lists read by the team's systems.", grows=True)
    passes_per_list: float = _number("Passes in such a list, on all its pages.", grows=True)
    registrations_per_month: float = _number("Passes that get onto a device.", grows=True)
    removals_per_month: float = _number("Passes that are removed from a device.", grows=True)
    polls_per_device_per_month: float = _number("How often a device asks of itself and nothing has changed.")
    page_views_per_month: float = _number("Pages of passes that people open.", grows=True)
    redeems_per_month: float = _number("Passes that are redeemed.", grows=True)
    callbacks_per_month: float = _number("Events told to the team's own systems.", grows=True)
    emptied_rows_per_month: float = _number("Passes that lose a tag since the tag is emptied.", grows=True)

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name != "wallet_mix":
                _check_number(each.name, getattr(self, each.name), each.metadata)
        if any(not 0 <= share <= 1 for share in self.wallet_mix.values()):
            raise InvalidRequest("has a share that is not between 0 and 1", field="wallet_mix")
        total = sum(self.wallet_mix.values())
        if abs(total - 1) > MIX_TOLERANCE:
            raise InvalidRequest(f"has shares that add up to {total:g} in place of 1", field="wallet_mix")

    @property
    def devices(self) -> float:
        """Registrations. Each counts as a device of its own: one that holds several passes is pushed once for all."""
        return self.passes * self.devices_per_pass

    @property
    def held_share(self) -> float:
        """Share of the passes that some device holds, with devices spread as evenly as can be."""
        return min(1.0, self.devices_per_pass)

    @property
    def devices_per_held_pass(self) -> float:
        """Devices that are told of a change of a pass that is held."""
        return max(1.0, self.devices_per_pass)


def _check_number(name: str, value: float, rule: Mapping[str, Any]) -> None:
    if not rule["least"] <= value <= rule["most"]:  # which nan is not either
        raise InvalidRequest(f"must be at least {rule['least']:g} and at most {rule['most']:g}", field=name)


STANDARD_ALARMS: Final = 62
"""metrics of a stage's alarms: one that calculates with several is paid for each"""
STANDARD_METRICS: Final = 40
"""series that a stage with three wallets writes in most hours"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a stage is set to, and what is assumed of AWS where nothing was measured."""

    architecture: str = "arm64"
    api_mb: int = 1024
    segment_mb: int = 1024
    worker_mb: int = 512
    segment_workers: int = 10
    google_workers: int = 2
    queues: int = 13
    """that functions listen to, dead-letter queues included"""
    resumes: float = HOURS * 4
    """runs of the schedule"""
    alarms: int = STANDARD_ALARMS
    metrics: int = STANDARD_METRICS
    dashboards: int = 1
    keys: int = 1
    tracing: bool = True
    recovery: bool = True
    log_months: float = 3
    years_kept: float = 1
    """of tickets and redeems, which are never removed"""
    call_milliseconds: float = 5
    """one DynamoDB call"""
    callback_milliseconds: float = 300
    """a team's own system"""
    rate_limits: bool = False
    """all requests of the team's systems are limited"""
    index_writes_twice: bool = False
    """charge what transactions write in indexes twice, as the table's own part; DynamoDB does not"""


def parse_wallet_mix(text: str) -> dict[Wallet, float]:
    """The mix that `apple=0.6,google=0.4` says.

    Raises:
        InvalidRequest: a wallet is unknown or named twice, or a share is no number.
    """
    mix: dict[Wallet, float] = {}
    for part in text.split(","):
        name, _, share = (each.strip() for each in part.partition("="))
        wallet = SHORT_NAMES.get(name)
        if wallet is None:
            raise InvalidRequest(f"names {name!r}, which is none of {', '.join(SHORT_NAMES)}", field="wallet_mix")
        if wallet in mix:
            raise InvalidRequest(f"names {name} twice", field="wallet_mix")
        try:
            mix[wallet] = float(share)
        except ValueError as error:
            raise InvalidRequest(f"has no number for {name}", field="wallet_mix") from error
    return mix


def show_wallet_mix(mix: Mapping[Wallet, float]) -> str:
    """A mix as `parse_wallet_mix` reads it."""
    return ",".join(f"{name}={mix[wallet]:g}" for name, wallet in SHORT_NAMES.items() if wallet in mix)


TEAMS: Final[Mapping[str, Workload]] = MappingProxyType(
    {
        "small": Workload(
            passes=10_000,
            tags=2,
            pass_kb=2,
            file_kb=40,
            devices_per_pass=0.7,
            wallet_mix={Wallet.PASSBOOK: 0.6, Wallet.GOOGLE_WALLET: 0.3, Wallet.WALLET_PASSES: 0.1},
            bulk_updates_per_month=4,
            bulk_share=1,
            single_updates_per_month=20_000,
            new_passes_per_month=500,
            tag_changes_per_month=2_000,
            reads_per_month=20_000,
            lists_per_month=2_000,
            passes_per_list=5_000,
            registrations_per_month=400,
            removals_per_month=200,
            polls_per_device_per_month=4,
            page_views_per_month=1_000,
            redeems_per_month=2_000,
            callbacks_per_month=600,
            emptied_rows_per_month=10_000,
        ),
        "medium": Workload(
            passes=1_000_000,
            tags=3,
            pass_kb=2,
            file_kb=40,
            devices_per_pass=0.7,
            wallet_mix={Wallet.PASSBOOK: 0.6, Wallet.GOOGLE_WALLET: 0.3, Wallet.WALLET_PASSES: 0.1},
            bulk_updates_per_month=8,
            bulk_share=1,
            single_updates_per_month=1_000_000,
            new_passes_per_month=40_000,
            tag_changes_per_month=200_000,
            reads_per_month=1_000_000,
            lists_per_month=50_000,
            passes_per_list=100_000,
            registrations_per_month=30_000,
            removals_per_month=15_000,
            polls_per_device_per_month=4,
            page_views_per_month=80_000,
            redeems_per_month=100_000,
            callbacks_per_month=45_000,
            emptied_rows_per_month=500_000,
        ),
        "large": Workload(
            passes=50_000_000,
            tags=4,
            pass_kb=3,
            file_kb=40,
            devices_per_pass=0.6,
            wallet_mix={Wallet.PASSBOOK: 0.65, Wallet.GOOGLE_WALLET: 0.3, Wallet.WALLET_PASSES: 0.05},
            bulk_updates_per_month=20,
            bulk_share=0.1,
            single_updates_per_month=25_000_000,
            new_passes_per_month=1_500_000,
            tag_changes_per_month=10_000_000,
            reads_per_month=25_000_000,
            lists_per_month=500_000,
            passes_per_list=1_000_000,
            registrations_per_month=1_000_000,
            removals_per_month=600_000,
            polls_per_device_per_month=4,
            page_views_per_month=3_000_000,
            redeems_per_month=2_000_000,
            callbacks_per_month=1_600_000,
            emptied_rows_per_month=10_000_000,
        ),
    }
)


def assume(passes: int, *, size: str | None = None) -> Workload:
    """What a team with so many passes is taken to do: as one of the three, or the nearest of them, in proportion.

    Raises:
        InvalidRequest: there are no passes, or too many.
    """
    if not 1 <= passes <= MOST_PASSES:
        raise InvalidRequest(f"must be at least 1 and at most {MOST_PASSES:,}", field="passes")
    team = TEAMS[size] if size else min(TEAMS.values(), key=lambda each: abs(math.log(each.passes / passes)))
    factor = passes / team.passes
    grown = {each.name: getattr(team, each.name) * factor for each in fields(team) if each.metadata.get("grows")}
    return replace(team, passes=passes, **grown)
