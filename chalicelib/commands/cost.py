"""`cost`: what a team pays AWS in a month. Needs no deployment and no credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.printing import json_option, print_json, print_rows
from chalicelib.domain.cost_prices import LIST, Price, PriceList, override
from chalicelib.domain.cost_workloads import (
    MANY,
    STANDARD_ALARMS,
    STANDARD_METRICS,
    TEAMS,
    Deployment,
    Workload,
    assume,
    parse_wallet_mix,
    show_wallet_mix,
)
from chalicelib.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from chalicelib.domain.costing import Bill

_MIX = "wallet_mix"
_WHOLE = "passes"
_MOST_SERIES = 1_000_000
_SHOWN_SHARE = 0.0005
"""of a total below which a thing that the team does is not shown by itself"""


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _workload_options(command: Callable[..., None]) -> Callable[..., None]:
    """One option for each field of a workload, in their order."""
    for each in reversed(fields(Workload)):
        kind: Any = {_MIX: str, _WHOLE: int}.get(each.name, float)
        metavar = "NAME=SHARE,..." if each.name == _MIX else "NUMBER"
        command = click.option(_option(each.name), each.name, type=kind, metavar=metavar, help=each.metadata["text"])(
            command
        )
    return command


@click.command("cost")
@click.option(
    "--size",
    type=click.Choice(list(TEAMS)),
    help="The team whose habits are taken where you give no number of your own. Without it the nearest in size;"
    " what grows with the passes is taken in proportion.",
)
@_workload_options
@click.option("--architecture", type=click.Choice(["arm64", "x86_64"]), default="arm64", show_default=True)
@click.option(
    "--alarms",
    type=click.IntRange(0, _MOST_SERIES),
    default=STANDARD_ALARMS,
    show_default=True,
    help="Metrics that alarms watch.",
)
@click.option(
    "--metrics",
    type=click.IntRange(0, _MOST_SERIES),
    default=STANDARD_METRICS,
    show_default=True,
    help="Series of metrics that are written.",
)
@click.option("--tracing/--no-tracing", default=True, show_default=True, help="X-Ray.")
@click.option("--recovery/--no-recovery", default=True, show_default=True, help="Point-in-time recovery.")
@click.option("--rate-limits", is_flag=True, help="Every request of the team's own systems has a rate limit.")
@click.option("--free-tier", is_flag=True, help="Take off what AWS gives every account for good.")
@click.option(
    "--index-writes-twice", is_flag=True, help="Charge what transactions write in indexes twice; DynamoDB does not."
)
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with prices of your own (docs/cost.md).",
)
@click.option("--show-prices", is_flag=True, help="Show the prices, with their dates and sources, and stop.")
@json_option
def cost(
    *,
    size: str | None,
    prices_file: Path | None,
    free_tier: bool,
    show_prices: bool,
    as_json: bool,
    passes: int | None,
    wallet_mix: str | None,
    **numbers: Any,
) -> None:
    """Show what a team pays AWS in a month, line by line.

    Everything you do not say is taken from one of three teams: small (10,000 passes), medium (1 million) and large (50
    million).
    """
    from chalicelib.domain.costing import make_bill

    prices = _read_prices(prices_file)
    if show_prices:
        print_rows(_price_rows(prices), as_json=as_json)
        return
    stage = Deployment(**{each.name: numbers.pop(each.name) for each in fields(Deployment) if each.name in numbers})
    try:
        assumed = assume(_default_passes(size) if passes is None else passes, size=size)
        given = {name: value for name, value in numbers.items() if value is not None}
        if wallet_mix is not None:
            given[_MIX] = parse_wallet_mix(wallet_mix)
        workload = replace(assumed, **given)
    except InvalidRequest as error:
        raise click.BadParameter(error.problem, param_hint=_option(error.field or "")) from error
    bill = make_bill(workload, prices=prices, deployment=stage, with_free_tier=free_tier)
    if as_json:
        print_json(_as_document(workload, bill, prices))
        return
    _print_bill(workload, bill, prices, with_free_tier=free_tier)


def _default_passes(size: str | None) -> int:
    if size is None:
        raise InvalidRequest("is needed, or --size", field=_WHOLE)
    return TEAMS[size].passes


def _read_prices(file: Path | None) -> PriceList:
    if file is None:
        return LIST
    try:
        return override(LIST, json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, OSError) as error:
        raise click.BadParameter(f"{file} cannot be read as JSON: {error}", param_hint="--prices") from error
    except InvalidRequest as error:
        raise click.BadParameter(f"{file}: {error}", param_hint="--prices") from error


def _price_rows(prices: PriceList) -> list[dict[str, Any]]:
    return [
        {
            "name": str(item),
            "price": _show_tiers(price),
            "as_of": price.as_of,
            "source": price.source,
        }
        for item, price in prices.prices.items()
    ]


def _show_tiers(price: Price) -> str:
    tiers = ", then ".join(f"${dollars:g}" for _, dollars in price.tiers)
    return f"{tiers} a {price.unit}"


def _print_bill(workload: Workload, bill: Bill, prices: PriceList, *, with_free_tier: bool) -> None:
    click.echo(
        f"{workload.passes:,} passes, {workload.devices:,.0f} devices"
        f" ({show_wallet_mix(workload.wallet_mix)}), {workload.tags:g} tags a pass"
    )
    free = "after the free tier" if with_free_tier else "without the free tier"
    click.echo(f"Prices of {prices.region}, {prices.date}, on demand, {free}; a month of 730 hours\n")
    print_rows(
        [
            {
                "service": price.service,
                "what": price.text,
                "amount": f"{line.amount / price.per:,.{0 if price.per == 1 else 2}f} {price.unit}",
                "unit_price": f"${line.dollars / line.amount * price.per:,.4g}",
                "dollars": f"{line.dollars:,.2f}",
            }
            for line in bill.lines
            for price in [prices.prices[line.item]]
        ],
        as_json=False,
    )
    click.echo()
    print_rows(_shares("service", bill.by_service(prices), bill.total), as_json=False)
    click.echo()
    print_rows(_shares("what_the_team_does", bill.by_activity(), bill.total), as_json=False)
    click.echo(f"\nTotal: ${bill.total:,.2f} a month")
    click.echo(f"One update of all passes, with pushes and what phones fetch: ${bill.update_of_all:,.2f}")
    click.echo(f"Creating all passes once, {MANY} in a request: ${bill.creation_of_all:,.2f}")
    for note in bill.notes:
        click.echo(f"Note: {note}")


def _shares(column: str, dollars: dict[str, float], total: float) -> list[dict[str, Any]]:
    return [
        {column: name, "dollars": f"{own:,.2f}", "share": f"{own / total if total else 0:.0%}"}
        for name, own in dollars.items()
        if own >= total * _SHOWN_SHARE
    ]


def _as_document(workload: Workload, bill: Bill, prices: PriceList) -> dict[str, Any]:
    shown = {each.name: getattr(workload, each.name) for each in fields(workload)}
    return {
        "workload": {**shown, _MIX: show_wallet_mix(workload.wallet_mix)},
        "region": prices.region,
        "prices_date": prices.date,
        "lines": [
            {
                "name": str(line.item),
                "service": price.service,
                "what": price.text,
                "amount": line.amount / price.per,
                "unit": price.unit,
                "dollars": line.dollars,
            }
            for line in bill.lines
            for price in [prices.prices[line.item]]
        ],
        "by_service": bill.by_service(prices),
        "by_activity": bill.by_activity(),
        "total": bill.total,
        "update_of_all": bill.update_of_all,
        "creation_of_all": bill.creation_of_all,
        "notes": list(bill.notes),
    }
