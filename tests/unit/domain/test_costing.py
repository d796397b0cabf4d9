"""The bill: figures as measured, prices as listed, sums that add up, a command that says so, and a page that agrees."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.commands.cost import cost
from chalicelib.domain.cost_prices import LIST, Item, override
from chalicelib.domain.cost_units import FORMULAS, SIZES, Operation
from chalicelib.domain.cost_usage import count_waits
from chalicelib.domain.cost_workloads import (
    STANDARD_ALARMS,
    TEAMS,
    Deployment,
    Workload,
    assume,
    parse_wallet_mix,
    show_wallet_mix,
)
from chalicelib.domain.costing import Bill, make_bill
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.registrations import Wallet
from chalicelib.workers import bulk, push
from chalicelib.workers.handlers import HANDLERS
from chalicelib.workers.sweep import RESUME_MINUTES
from infra.definition import read_queues
from infra.monitoring import render_monitoring
from infra.stages import read_stage

ROOT = Path(__file__).parents[3]
MEASURED = json.loads((ROOT / "benchmarks" / "results" / "operation_costs.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
TOLERANCE = 0.05

UNITS = ("reads", "writes", "index_writes", "sends", "calls")
_LEFT_OUT = {
    # answers are written down as they arrive, so few or many in a call
    **{each: {"calls"} for each in Operation if each.name.startswith("DELIVER")},
    # a few for each of its transactions, beside hundreds of writes
    Operation.CREATE_MANY: {"calls", "reads"},
    # scans of tables that hold what others have left there
    Operation.RESUME: {"reads"},
}
_WITHOUT_TAGS = {Operation.LIST_PAGE, Operation.READ_TAGS, Operation.READ_PASS, Operation.CREATE}
"""operations that make fewer calls, or another, for passes without tags; the figures are of passes with some"""


def differences(row: Mapping[str, Any]) -> Iterator[str]:
    """What the figures say of a measured operation that lies apart from the measurement."""
    operation = Operation(row["operation"])
    units = FORMULAS[operation].units(items=row["items"], tags=row["tags"], pass_kb=row["kilobytes"])
    left_out = _LEFT_OUT.get(operation, set())
    if not row["tags"] and operation in _WITHOUT_TAGS:
        left_out = left_out | {"calls", *({"reads"} if operation is Operation.LIST_PAGE else ())}
    for name in sorted(set(UNITS) - left_out):
        expected = row[name]
        if not math.isclose(getattr(units, name), expected, rel_tol=TOLERANCE, abs_tol=0.5 if expected < 10 else 0):
            yield f"{operation}, {row['items']} items: {name} {getattr(units, name):g}, measured {expected:g}"


def _of_operation(operation: Operation) -> list[dict[str, Any]]:
    return [row for row in MEASURED["operations"] if row["operation"] == operation]


# The figures


@pytest.mark.parametrize("operation", Operation, ids=lambda operation: operation.name)
def test_units_are_those_that_were_measured(operation: Operation) -> None:
    rows = _of_operation(operation)

    assert rows
    assert [each for row in rows for each in differences(row)] == []


@pytest.mark.parametrize("operation", Operation, ids=lambda operation: operation.name)
def test_cpu_logs_and_answers_are_those_that_were_measured(operation: Operation) -> None:
    items = max(row["items"] for row in _of_operation(operation))
    rows = [row for row in _of_operation(operation) if row["items"] == items]
    first = next(row for row in rows if (row["tags"], row["kilobytes"]) == (1, 1))
    units = FORMULAS[operation].units(items=items)

    # another machine, or a busy one, takes another time
    assert units.cpu_milliseconds == pytest.approx(min(row["cpu_milliseconds"] for row in rows), rel=0.5)
    assert units.log_bytes == pytest.approx(first["log_bytes"], rel=TOLERANCE)
    assert units.answer_bytes == pytest.approx(first["answer_bytes"], rel=TOLERANCE)


def test_sizes_are_those_that_were_measured() -> None:
    measured = {row["table"]: (row["table_bytes"], row["index_bytes"]) for row in MEASURED["sizes"]}

    assert measured.keys() == SIZES.keys()
    for name, size in SIZES.items():
        assert (size.table, size.indexes) == pytest.approx(measured[name], rel=TOLERANCE)


def test_a_figure_that_is_off_is_noticed() -> None:
    row = next(row for row in _of_operation(Operation.CREATE) if row["tags"] == 1)

    assert list(differences({**row, "writes": row["writes"] * 1.06})) != []
    assert list(differences({**row, "reads": row["reads"] + 1})) != []


def test_the_stage_is_the_one_that_is_deployed() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    functions, stage = config["lambda_functions"], Deployment()
    prod = config | config["stages"]["prod"]

    def memory(name: str) -> int:
        settings = functions.get(name, {}) | prod.get("lambda_functions", {}).get(name, {})
        return int(settings.get("lambda_memory_size", config["lambda_memory_size"]))

    assert (stage.api_mb, stage.segment_mb) == (memory("api_handler"), memory("update_segment"))
    assert {memory(name) for name in functions if name not in ("api_handler", "update_segment")} == {stage.worker_mb}
    assert (stage.architecture, stage.tracing) == (prod["lambda_architecture"], prod["xray"])
    assert stage.log_months * 30 == prod["log_retention_in_days"]
    assert stage.queues == len(HANDLERS)
    assert stage.resumes == 730 * 60 / RESUME_MINUTES
    assert (stage.segment_workers, stage.google_workers) == (bulk.SEGMENT_WORKERS, push.GOOGLE_WORKERS)


def test_the_alarms_are_about_as_many_as_those_of_prod() -> None:
    stage = read_stage("prod")
    resources = render_monitoring(
        app_name=stage.app_name,
        stage=stage.name,
        prefix=stage.prefix,
        api_stage=stage.api_stage,
        functions=stage.deployed_functions,
        queues=read_queues(stage.prefix),
        alarm_email=None,
    ).values()
    alarms = [each["Properties"] for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(sum("MetricStat" in one for one in alarm.get("Metrics", ())) or 1 for alarm in alarms)

    assert watched == pytest.approx(STANDARD_ALARMS, rel=0.2)
    assert sum(each["Type"] == "AWS::CloudWatch::Dashboard" for each in resources) == Deployment().dashboards
    assert sum(each["Type"] == "AWS::KMS::Key" for each in resources) == Deployment().keys


# Prices


def test_a_price_falls_with_its_tiers() -> None:
    gateway = LIST.prices[Item.GATEWAY]

    assert gateway.dollars(1_000_000) == pytest.approx(3.5)
    assert gateway.dollars(433e6) == pytest.approx(333 * 3.5 + 100 * 2.8)
    assert gateway.dollars(0) == 0


def test_the_free_tier_comes_off_the_dearest_units() -> None:
    queues = LIST.prices[Item.QUEUES]

    assert queues.dollars(3e6, with_free_tier=True) == pytest.approx(0.8)
    assert queues.dollars(500_000, with_free_tier=True) == 0
    assert LIST.prices[Item.TRANSFER].dollars(101e9, with_free_tier=True) == pytest.approx(0.09)


@pytest.mark.parametrize("item", Item)
def test_every_price_says_where_it_stands_and_since_when(item: Item) -> None:
    price = LIST.prices[item]

    assert price.source.startswith("https://aws.amazon.com/")
    assert re.fullmatch(r"20\d\d(-\d\d)?|undated", price.as_of)
    assert price.tiers[-1][0] == math.inf
    assert [end for end, _ in price.tiers] == sorted(end for end, _ in price.tiers)


def test_own_prices_replace_those_of_the_list() -> None:
    own = override(
        LIST, {"region": "eu-west-1", "date": "2027-01", "prices": {"alarms": 0.2, "traces": [[10, 6], [None, 5]]}}
    )

    assert (own.region, own.date) == ("eu-west-1", "2027-01")
    assert own.prices[Item.ALARMS].dollars(10) == pytest.approx(2)
    assert own.prices[Item.TRACES].dollars(20e6) == pytest.approx(110)
    assert own.prices[Item.READS] is LIST.prices[Item.READS]


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ([], "object"),
        ({"prices": {}}, "date"),
        ({"date": "2027-01", "price": {}}, "object"),
        ({"date": "2027-01", "prices": []}, "object"),
        ({"date": "2027-01", "prices": {"lambdas": 1}}, "unknown"),
        ({"date": "2027-01", "prices": {"alarms": "0.2"}}, "number"),
        ({"date": "2027-01", "prices": {"alarms": -1}}, "number"),
        ({"date": "2027-01", "prices": {"alarms": True}}, "number"),
        ({"date": "2027-01", "prices": {"alarms": []}}, "end"),
        ({"date": "2027-01", "prices": {"alarms": [[10, 1]]}}, "end"),
        ({"date": "2027-01", "prices": {"alarms": [[10, 1], [5, 1], [None, 1]]}}, "grow"),
    ],
)
def test_a_file_of_prices_that_does_not_fit_is_refused(document: object, part: str) -> None:
    with pytest.raises(InvalidRequest, match=part) as refused:
        override(LIST, document)

    assert str(refused.value).startswith("prices")  # names the argument it is about


# Workloads


@pytest.mark.parametrize(
    "change",
    [
        {"passes": 0},
        {"tags": 16},
        {"tags": -1},
        {"bulk_share": 1.01},
        {"pass_kb": 0},
        {"reads_per_month": math.nan},
        {"devices_per_pass": math.inf},
        {"bulk_updates_per_month": 1e308},
        {"passes": 10**400},
        {"wallet_mix": {Wallet.PASSBOOK: 0.5}},
        {"wallet_mix": {Wallet.PASSBOOK: 1.5, Wallet.PASS2U: -0.5}},
    ],
    ids=str,
)
def test_a_workload_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        replace(TEAMS["small"], **change)

    assert refused.value.field == next(iter(change))


def test_a_wallet_mix_is_read_and_shown() -> None:
    text = "apple=0.5,google=0.25,pass2u=0.25"

    assert show_wallet_mix(parse_wallet_mix(" apple = 0.5, google=0.25,pass2u=0.25")) == text
    for wrong in ("", "apple", "apple=", "iphone=1", "apple=0.5,apple=0.5"):
        with pytest.raises(InvalidRequest):
            parse_wallet_mix(wrong)


def test_a_team_of_another_size_does_as_much_for_each_pass() -> None:
    medium, other = TEAMS["medium"], assume(2_000_000)

    assert other.single_updates_per_month == 2 * medium.single_updates_per_month
    assert (other.tags, other.bulk_updates_per_month) == (medium.tags, medium.bulk_updates_per_month)
    assert assume(9_000).tags == TEAMS["small"].tags
    assert assume(9_000, size="large").tags == TEAMS["large"].tags


# Bills

QUIET = {each.name: 0 for each in fields(Workload) if each.name.endswith("_per_month")}
STANDING = {"the stage itself", "storage"}


def _bill(stage: Deployment | None = None, **changes: Any) -> Bill:
    workload = replace(TEAMS["medium"], **{**QUIET, **changes})
    return make_bill(workload, prices=LIST, deployment=stage or Deployment(tracing=False))


def _amount(bill: Bill, item: Item) -> float:
    return next((line.amount for line in bill.lines if line.item is item), 0.0)


@pytest.mark.parametrize("size", TEAMS)
def test_a_bill_adds_up(size: str) -> None:
    bill = make_bill(TEAMS[size], prices=LIST)

    assert bill.total > 0
    assert sum(bill.by_service(LIST).values()) == pytest.approx(bill.total)
    assert sum(bill.by_activity().values()) == pytest.approx(bill.total)
    assert all(line.amount > 0 for line in bill.lines)


def test_reads_are_paid_by_the_request() -> None:
    bill = _bill(reads_per_month=1_000_000, tags=3, pass_kb=2)
    resumes = _bill()

    assert set(bill.by_activity()) == {"reads", *STANDING}
    assert _amount(bill, Item.GATEWAY) == 1_000_000
    assert _amount(bill, Item.READS) - _amount(resumes, Item.READS) == pytest.approx(4_000_000)
    assert _amount(bill, Item.WRITES) == 0


def test_a_limit_costs_a_write_for_each_request_with_a_key_and_nothing_for_those_of_phones() -> None:
    limited = Deployment(tracing=False, rate_limits=True)
    own: dict[str, Any] = {"reads_per_month": 1_000_000, "redeems_per_month": 500_000, "new_passes_per_month": 250_000}
    phones: dict[str, Any] = {
        "registrations_per_month": 10_000,
        "page_views_per_month": 10_000,
        "polls_per_device_per_month": 4,
    }

    assert _amount(_bill(limited, **own), Item.WRITES) - _amount(_bill(**own), Item.WRITES) == pytest.approx(1_750_000)
    assert _bill(limited, **phones).total == pytest.approx(_bill(**phones).total)


def test_the_page_says_what_a_million_limited_requests_cost() -> None:
    reads: dict[str, Any] = {"reads_per_month": 1_000_000}
    more = _bill(Deployment(tracing=False, rate_limits=True), **reads).total - _bill(**reads).total

    assert f"**Rate limits.** ${more:.2f} for a million limited requests" in PAGE


def test_a_bulk_update_is_paid_by_the_pass_and_by_the_phone() -> None:
    bill = _bill(bulk_updates_per_month=1, bulk_share=1, devices_per_pass=1, wallet_mix={Wallet.PASSBOOK: 1}, pass_kb=1)
    # a kilobyte and two index units for each pass, two for each push, one for the count of each fetch
    assert _amount(bill, Item.WRITES) == pytest.approx(6_000_000, rel=0.01)
    # a phone asks, and fetches
    assert _amount(bill, Item.GATEWAY) == pytest.approx(2_000_000, rel=0.01)
    assert bill.update_of_all == pytest.approx(
        sum(dollars for activity, dollars in bill.by_activity().items() if activity not in STANDING)
    )


def test_the_phones_of_one_update_of_a_million_passes_cost_more_than_its_writes() -> None:
    """7 dollars for the gateway, and no more than 16 with a file of the size that passes without images have."""
    workload = replace(
        TEAMS["medium"], devices_per_pass=1, wallet_mix={Wallet.PASSBOOK: 1}, bulk_share=1, file_kb=7, pass_kb=1
    )
    bill = make_bill(workload, prices=LIST)

    assert 12 < bill.update_of_all < 16


def test_passes_that_are_created_together_cost_a_tenth_of_the_requests() -> None:
    bill = _bill(new_passes_per_month=1_000_000)
    singly = bill.by_activity()["new passes"]

    assert singly / 3 < bill.creation_of_all < singly * 0.7


def test_a_part_of_the_passes_at_google_is_written_one_by_one() -> None:
    google: dict[str, Any] = {"wallet_mix": {Wallet.GOOGLE_WALLET: 1}, "bulk_updates_per_month": 1}
    whole, part = _bill(**google, bulk_share=1), _bill(**google, bulk_share=0.999)

    assert _amount(part, Item.SECONDS_ARM) > 5 * _amount(whole, Item.SECONDS_ARM)
    assert _amount(whole, Item.TRANSFER) < 10_000 < _amount(part, Item.TRANSFER)


def test_a_bulk_update_of_some_passes_at_google_says_how_long_it_takes() -> None:
    def notes(**changes: Any) -> tuple[str, ...]:
        return make_bill(replace(TEAMS["large"], **changes), prices=LIST).notes

    assert "14 hours" in notes()[0]
    assert "given up" in notes(bulk_share=0.3)[0]
    assert notes(bulk_share=1) == notes(bulk_updates_per_month=0) == notes(bulk_share=0.001) == ()


@pytest.mark.parametrize(
    ("stage", "change"),
    [
        (Deployment(), {"tags": 5}),
        (Deployment(), {"pass_kb": 4}),
        (Deployment(), {"devices_per_pass": 2}),
        (Deployment(), {"bulk_share": 0.5}),
        *((Deployment(), {each.name: 1e8}) for each in fields(Workload) if each.name.endswith("_per_month")),
        (Deployment(architecture="x86_64"), {}),
        (Deployment(alarms=100), {}),
        (Deployment(metrics=100), {}),
        (Deployment(index_writes_twice=True), {}),
        (Deployment(rate_limits=True), {}),
    ],
    ids=str,
)
def test_whatever_is_more_costs_more(stage: Deployment, change: dict[str, Any]) -> None:
    team = replace(TEAMS["medium"], bulk_share=0.25)
    usual = make_bill(team, prices=LIST).total

    assert make_bill(replace(team, **change), prices=LIST, deployment=stage).total > usual + 1e-6


@pytest.mark.parametrize("stage", [Deployment(tracing=False), Deployment(recovery=False)], ids=str)
def test_what_is_switched_off_is_not_paid(stage: Deployment) -> None:
    usual = make_bill(TEAMS["medium"], prices=LIST)
    gone = {line.item for line in usual.lines} - {
        line.item for line in make_bill(TEAMS["medium"], prices=LIST, deployment=stage).lines
    }

    assert gone == {Item.RECOVERY if stage.tracing else Item.TRACES}


def test_a_team_without_devices_pays_for_no_push() -> None:
    bill = make_bill(replace(TEAMS["medium"], devices_per_pass=0, registrations_per_month=0), prices=LIST)

    assert {"pushes", "phones that fetch"}.isdisjoint(bill.by_activity())


def test_messages_wait_ever_longer() -> None:
    assert [count_waits(seconds) for seconds in (0, 1, 2, 10)] == [0, 1, 2, 6]
    assert count_waits(3600) == pytest.approx(3600 / 10, abs=10)


# The command


def run(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(cost, [str(each) for each in arguments], terminal_width=100)
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def test_the_command_shows_lines_services_and_the_total() -> None:
    shown = run("--size", "medium").stdout
    bill = make_bill(TEAMS["medium"], prices=LIST)

    assert f"Total: ${bill.total:,.2f} a month" in shown
    assert f"fetch: ${bill.update_of_all:,.2f}" in shown
    assert f"request: ${bill.creation_of_all:,.2f}" in shown
    assert re.search(r"API Gateway +REST requests +[\d.]+ million +\$3.5 +[\d.]+", shown)
    assert "phones that fetch" in shown


def test_the_command_computes_for_given_numbers() -> None:
    document = json.loads(
        run(
            *("--passes", 1_000_000, "--tags", 2, "--devices-per-pass", 0.7, "--bulk-updates-per-month", 8),
            *("--bulk-share", 1, "--wallet-mix", "apple=0.7,google=0.3", "--pass-kb", 1.5, "--json"),
        ).stdout
    )

    assert document["workload"]["tags"] == 2
    assert document["workload"]["wallet_mix"] == "apple=0.7,google=0.3"
    assert document["total"] == pytest.approx(sum(line["dollars"] for line in document["lines"]))
    assert document["prices_date"] == LIST.date


def test_the_free_tier_and_other_prices_change_the_total(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"date": "2027-01", "prices": {"gateway_requests": 7}}))

    def total(*options: object) -> float:
        return float(json.loads(run("--size", "medium", "--json", *options).stdout)["total"])

    assert total("--free-tier") < total() < total("--prices", file)
    assert "2027-01" in run("--size", "small", "--prices", file).stdout


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ([], "--passes"),
        (["--passes", "0"], "--passes"),
        (["--passes", "1.5"], "--passes"),
        (["--size", "small", "--tags", "99"], "--tags"),
        (["--size", "small", "--bulk-share", "2"], "--bulk-share"),
        (["--size", "small", "--wallet-mix", "apple=0.2"], "--wallet-mix"),
        (["--size", "small", "--wallet-mix", "nokia=1"], "nokia"),
        (["--size", "huge"], "--size"),
        (["--size", "small", "--prices", "nowhere.json"], "nowhere.json"),
    ],
)
def test_the_command_names_the_option_that_is_wrong(options: list[str], part: str) -> None:
    result = run(*options, exit_code=2)

    assert part in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_of_prices_with_a_mistake_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    for text, part in (("{", "JSON"), ('{"date": "2027-01", "prices": {"alarm": 1}}', "prices.alarm")):
        file.write_text(text)
        shown = " ".join(run("--size", "small", "--prices", file, exit_code=2).stderr.split())
        assert part in shown


def test_the_command_shows_its_prices_and_explains_its_options() -> None:
    prices = run("--show-prices").stdout
    assert all(item in prices for item in Item)
    assert "https://aws.amazon.com/sqs/pricing/" in prices

    explained = run("--help").stdout
    assert all(f"--{each.name.replace('_', '-')}" in explained for each in fields(Workload))


# The page


def _blocks() -> list[tuple[str, str]]:
    """Every command that the page shows, and what it shows as its output."""
    return re.findall(r"^\$ python -m chalicelib\.cli cost ([^\n]*)\n(.*?)(?=^```|^\$)", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", _blocks(), ids=lambda block: block[0])
def test_the_page_shows_what_the_command_prints(block: tuple[str, str]) -> None:
    command, _, pattern = block[0].partition(" | grep ")
    printed = run(*shlex.split(command)).stdout.splitlines()

    assert block[1].splitlines() == [line for line in printed if pattern.strip('"') in line]


def test_the_page_shows_each_team_and_the_prices() -> None:
    shown = [command for command, _ in _blocks()]

    assert {*(f"--size {size}" for size in TEAMS), "--show-prices"} <= set(shown)
    assert LIST.date in PAGE


def _rows(heading: str) -> list[list[str]]:
    """The cells of the one table below a heading, without its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_page_shows_what_each_team_is_taken_to_do() -> None:
    def show(value: Any) -> str:
        return show_wallet_mix(value) if isinstance(value, Mapping) else f"{value:,.10g}"

    assert _rows("Three teams") == [
        [f"`{name}`", text, *(show(getattr(team, each.name)) for team in TEAMS.values())]
        for each in fields(Workload)
        for name, text in [(f"--{each.name.replace('_', '-')}", each.metadata["text"])]
    ]


def test_the_page_adds_up_one_update_of_a_million_passes() -> None:
    dollars = sum(float(row[-1]) for row in _rows("One update of a million passes"))
    (shown,) = [text for command, text in _blocks() if 'grep "One update"' in command]

    assert dollars == pytest.approx(float(shown.rpartition("$")[2]), abs=0.02)


def test_the_page_shows_what_each_operation_takes() -> None:
    def show(*parts: tuple[float, str]) -> str:
        terms = [f"{number:g}{unit}" if number != 1 or not unit else unit for number, unit in parts if number]
        return " + ".join(terms) or "0"

    assert _rows("What each operation takes") == [
        [
            str(operation),
            show(
                (formula.base.reads, ""),
                (formula.each.reads, "n"),
                (formula.reads_per_4_kb, "Bn" if _is_for_many(operation) else "B"),
                (formula.tag.reads, "t"),
            ),
            show(
                (formula.base.writes, ""),
                (formula.each.writes, "n"),
                (formula.writes_per_kb, "Kn" if _is_for_many(operation) else "K"),
                (formula.tag.writes, "tn" if _is_for_many(operation) else "t"),
            ),
            show((formula.base.sends, "")),
        ]
        for operation, formula in FORMULAS.items()
    ]


def _is_for_many(operation: Operation) -> bool:
    return any(row["items"] > 1 for row in _of_operation(operation))
