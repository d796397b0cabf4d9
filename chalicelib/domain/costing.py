"""From what a team does to its bill: every operation's units, times how often it happens, times AWS's prices.

docs/cost.md says the formulas in words, and what was assumed where nothing could be measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.domain.cost_prices import Item, PriceList
from chalicelib.domain.cost_usage import Usage
from chalicelib.domain.cost_workloads import Deployment, Workload
from chalicelib.domain.google_pacing import REQUESTS_PER_SECOND
from chalicelib.domain.registrations import Wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a bill."""

    item: Item
    amount: float
    """in the price's own units: requests, bytes"""
    dollars: float
    shares: Mapping[str, float]
    """the dollars by what the team does"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A month, and one update of all passes."""

    lines: tuple[Line, ...]
    update_of_all: float
    """dollars for one bulk update of every pass, its pushes and what phones then fetch, at list prices"""
    creation_of_all: float
    """dollars for creating every pass once, `MANY` in a request, at list prices"""
    notes: tuple[str, ...]
    """what the numbers do not show"""

    @property
    def total(self) -> float:
        """Dollars."""
        return sum(line.dollars for line in self.lines)

    def by_service(self, prices: PriceList) -> dict[str, float]:
        """Dollars of each service, in the order of the lines."""
        sums: dict[str, float] = defaultdict(float)
        for line in self.lines:
            sums[prices.prices[line.item].service] += line.dollars
        return dict(sums)

    def by_activity(self) -> dict[str, float]:
        """Dollars of each thing that the team does, the dearest first."""
        sums: dict[str, float] = defaultdict(float)
        for line in self.lines:
            for activity, dollars in line.shares.items():
                sums[activity] += dollars
        return dict(sorted(sums.items(), key=lambda entry: -entry[1]))


def make_bill(
    workload: Workload, *, prices: PriceList, deployment: Deployment | None = None, with_free_tier: bool = False
) -> Bill:
    """The bill of a month.

    `with_free_tier` takes off what AWS gives every account for good, as if nobody else used this one.
    """
    stage = deployment or Deployment()
    usage = _measure_month(workload, stage)
    usage.add_standing()
    lines = []
    for item in Item:
        amounts = usage.amounts[item]
        amount = sum(amounts.values())
        if not amount:
            continue
        dollars = prices.prices[item].dollars(amount, with_free_tier=with_free_tier)
        shares = {activity: dollars * own / amount for activity, own in amounts.items() if own}
        lines.append(Line(item=item, amount=amount, dollars=dollars, shares=shares))
    update, creation = Usage(replace(workload, bulk_share=1), stage), Usage(workload, stage)
    update.add_bulk_updates(1)
    creation.add_creation()
    return Bill(
        lines=tuple(lines),
        update_of_all=_price_once(update, prices),
        creation_of_all=_price_once(creation, prices),
        notes=_make_notes(workload),
    )


def _price_once(usage: Usage, prices: PriceList) -> float:
    """Without tiers, since nobody knows what else the month brings."""
    totals = {item: sum(amounts.values()) for item, amounts in usage.amounts.items()}
    return sum(totals[item] / prices.prices[item].per * prices.prices[item].first for item in totals)


def _measure_month(workload: Workload, stage: Deployment) -> Usage:
    usage = Usage(workload, stage)
    usage.add_bulk_updates(workload.bulk_updates_per_month)
    usage.add_single_updates(workload.single_updates_per_month)
    usage.add_own_systems()
    usage.add_devices()
    usage.add_storage()
    return usage


def _make_notes(workload: Workload) -> tuple[str, ...]:
    at_google = workload.devices * workload.bulk_share * workload.wallet_mix.get(Wallet.GOOGLE_WALLET, 0)
    hours = at_google / REQUESTS_PER_SECOND / 3600
    if workload.bulk_share == 1 or not workload.bulk_updates_per_month or hours < 1:
        return ()
    note = f"Google takes {REQUESTS_PER_SECOND} requests a second: a bulk update takes {hours:.0f} hours there"
    return (f"{note}." if hours <= 24 else f"{note}, and what is not done after 24 is given up.",)
