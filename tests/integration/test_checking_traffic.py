"""The check beside live traffic: what is under way is no damage, and a repair makes nothing wrong."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chalicelib import check_operations
from chalicelib.check_operations import CheckOptions, CheckSummary, StateMismatch, open_check
from chalicelib.domain import check_runs, issuing, tagging
from chalicelib.domain.bulk_updates import start_bulk_update
from chalicelib.domain.check_runs import Finding, Outcome
from chalicelib.domain.checking import Damage, Kind, Subject
from chalicelib.domain.errors import Busy, Conflict, Refused
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.store import checking_reads
from chalicelib.store.checking_counters import CounterLooks
from chalicelib.store.checking_looks import DynamoLooks
from chalicelib.store.checking_pass_stage import PassStage
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes, write_field
from tests.support.faults import Call, Fault, LostAnswer, Refusal, conflict, inject
from tests.support.raw_rows import RawRows
from tests.support.rivals import run_together
from tests.support.stack import Stack, Tenant

PATIENCE_SECONDS = 1.5
"""longer than any request of these tests"""

TRAFFIC_SECONDS = 2.0


def run_check(
    tenant: Tenant,
    folder: Path,
    *,
    repair: bool = False,
    patience_seconds: float = 0.0,
    report: Callable[[Finding], None] = lambda _: None,
    advance: Callable[[str, int], None] = lambda _, __: None,
) -> CheckSummary:
    """A check of one project, which goes on if there is a state."""
    options = CheckOptions(project_id=tenant.project_id, repair=repair, rate=1e9, patience_seconds=patience_seconds)
    return open_check(options, state_file=folder / "state.json").run(report=report, advance=advance)


class Traffic:
    """Writers of every sort, on a few passes so that they meet."""

    def __init__(self, project_id: int, passes: Sequence[Pass]) -> None:
        self._project_id = project_id
        self._passes = passes
        self._over = threading.Event()
        self.writes = 0

    def _run(self, write: Callable[[random.Random], object], seed: int) -> None:
        chance = random.Random(seed)
        while not self._over.is_set():
            self._over.wait(0.01)  # the machine is for the check as well
            try:
                write(chance)
            except Refused:
                continue
            self.writes += 1

    def _reference(self, chance: random.Random) -> PassReference:
        return PassReference(pass_id=chance.choice(self._passes).pass_id)

    def _tag(self, chance: random.Random) -> object:
        here = {"project_id": self._project_id, "reference": self._reference(chance)}
        if chance.random() < 0.5:
            return tagging.add_tags(get_platform(), **here, names=[chance.choice("abc")])  # type: ignore[arg-type]
        return tagging.remove_tag(get_platform(), **here, segment=chance.choice("abc"))  # type: ignore[arg-type]

    def _install(self, chance: random.Random) -> object:
        act = devices.install if chance.random() < 0.5 else devices.remove
        pass_id = chance.choice(self._passes).pass_id
        return act(get_platform(), project_id=self._project_id, pass_id=pass_id, device=f"device {chance.choice('xy')}")

    def _issue(self, chance: random.Random) -> object:
        """A pass that comes and goes."""
        reference = TemplateReference(template_id=self._passes[0].template_id)
        new = NewPass(update=write_field("Points", "1"), tag_names=("a",))
        made = issuing.create_pass(get_platform(), project_id=self._project_id, template=reference, new=new)
        return issuing.delete_pass(
            get_platform(), project_id=self._project_id, reference=PassReference(pass_id=made.pass_id)
        )

    def _update(self, chance: random.Random) -> object:
        self._over.wait(0.5)
        update = write_field("Points", str(chance.random()))
        return start_bulk_update(get_platform(), project_id=self._project_id, segment="a", update=update)

    def _clear(self, chance: random.Random) -> object:
        self._over.wait(0.3)
        return tagging.empty_tag(get_platform(), project_id=self._project_id, segment="c")

    @contextmanager
    def flowing(self, *, with_clearing: bool = True) -> Iterator[None]:
        """Everybody writes while the block runs."""
        writers = [self._tag, self._install, self._issue, self._update, *([self._clear] if with_clearing else [])]
        threads = [threading.Thread(target=self._run, args=(write, seed)) for seed, write in enumerate(writers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too busy to judge is given up soon."""
    monkeypatch.setattr(check_runs, "LOOKS", 3)


@pytest.fixture
def passes(tenant: Tenant) -> list[Pass]:
    return make_passes(tenant.project_id, 8, tags=["a", "b", "c"])


def test_a_healthy_project_under_traffic_has_no_damage(
    stack: Stack, tenant: Tenant, passes: list[Pass], tmp_path: Path, consistent: Consistent
) -> None:
    findings: list[Finding] = []
    traffic = Traffic(tenant.project_id, passes)
    ends_at = time.monotonic() + TRAFFIC_SECONDS
    with traffic.flowing():
        while time.monotonic() < ends_at:
            run_check(tenant, tmp_path, patience_seconds=PATIENCE_SECONDS, report=findings.append)
    stack.drain()

    assert traffic.writes > 20
    assert findings == []
    consistent(tenant.project_id)
    assert run_check(tenant, tmp_path).is_clean


@pytest.mark.parametrize("collection", ["project-passes", "project-tags", "template-registrations"])
def test_what_comes_and_goes_between_our_reads_is_no_damage(
    tenant: Tenant, passes: list[Pass], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collection: str
) -> None:
    """Counted while the counter is read, and neither there before nor after: in every look."""
    project_id, template_id = tenant.project_id, passes[0].template_id
    owner = template_id if collection.startswith("template") else project_id
    segment = passes[0].pass_id // 1000 if collection == "project-passes" else 0
    subject = Subject("counter", (f"{collection}:{owner}", segment, project_id))
    monkeypatch.setattr(PassStage, "_compare_counters", lambda *_: [subject])
    read = CounterLooks._read_counter
    looks: list[str] = []
    here: dict[str, Any] = {"project_id": project_id, "pass_id": passes[0].pass_id, "device": "passing"}
    reference = PassReference(pass_id=passes[0].pass_id)

    def come() -> Callable[[], object]:
        if collection == "template-registrations":
            devices.install(get_platform(), **here)
            return partial(devices.remove, get_platform(), **here)
        if collection == "project-tags":
            tagging.add_tags(get_platform(), project_id=project_id, reference=reference, names=["passing"])
            return partial(tagging.delete_tag, get_platform(), project_id=project_id, segment="passing")
        (made,) = make_passes(project_id, 1, template_id=template_id)
        gone = PassReference(pass_id=made.pass_id)
        return partial(issuing.delete_pass, get_platform(), project_id=project_id, reference=gone)

    def read_with_visitor(self: CounterLooks, key: str, number: int) -> Any:
        if key != subject.key[0]:
            return read(self, key, number)
        go = come()
        try:
            return read(self, key, number)
        finally:
            go()
            looks.append(key)

    monkeypatch.setattr(CounterLooks, "_read_counter", read_with_visitor)
    findings: list[Finding] = []
    summary = run_check(tenant, tmp_path, repair=True, report=findings.append)

    assert len(looks) > 2
    assert findings == []
    assert summary.busy == 1


def plant(stack: Stack, tenant: Tenant, passes: list[Pass]) -> int:
    """Damage where the traffic is; how many findings it makes."""
    raw, segment, project_id = RawRows(stack.dynamodb), passes[0].pass_id // 1000, tenant.project_id
    for collection in (f"project-passes:{project_id}", f"template-passes:{passes[0].template_id}"):
        raw.add("segments", {"collection": collection, "slot": segment * 16}, not_been_installed=5, installed=-3)
    raw.add("segments", {"collection": f"project-tags:{project_id}", "slot": 0}, member=2)
    still = make_passes(project_id, 3, template_id=passes[0].template_id, tags=["b"])
    raw.delete("memberships", pass_id=still[0].pass_id, tag_id=2)
    raw.change("passes", {"pass_id": still[1].pass_id}, status="installed")
    raw.change("passes", {"pass_id": still[2].pass_id}, updated_shard="elsewhere")
    return 6


def test_a_repair_beside_writers_leaves_everything_exact(
    stack: Stack, tenant: Tenant, passes: list[Pass], tmp_path: Path, consistent: Consistent
) -> None:
    planted = plant(stack, tenant, passes)
    findings: list[Finding] = []
    traffic = Traffic(tenant.project_id, passes)
    ends_at = time.monotonic() + TRAFFIC_SECONDS
    with traffic.flowing(with_clearing=False):
        while time.monotonic() < ends_at:
            run_check(tenant, tmp_path, repair=True, patience_seconds=PATIENCE_SECONDS, report=findings.append)
    # what was too busy all the time is mended in peace
    run_check(tenant, tmp_path, repair=True, report=findings.append)
    stack.drain()

    assert traffic.writes > 20
    assert sum(finding.outcome is Outcome.MENDED for finding in findings) >= planted
    assert {finding.damage.kind for finding in findings} <= {
        Kind.COUNTER,
        Kind.COUNTER_NEGATIVE,
        Kind.MEMBERSHIP_MISSING,
        Kind.STATUS,
        Kind.PASS_KEYS,
    }
    consistent(tenant.project_id)
    assert run_check(tenant, tmp_path).is_clean


def test_two_repairs_at_once_mend_once(
    stack: Stack, tenant: Tenant, passes: list[Pass], tmp_path: Path, consistent: Consistent
) -> None:
    plant(stack, tenant, passes)
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()

    run_together([partial(run_check, tenant, folder, repair=True) for folder in folders])

    consistent(tenant.project_id)
    assert run_check(tenant, tmp_path).is_clean


@pytest.mark.parametrize("trouble", ["lost answers", "conflicts"])
def test_a_repair_that_meets_trouble_is_made_once(
    stack: Stack, tenant: Tenant, passes: list[Pass], tmp_path: Path, consistent: Consistent, trouble: str
) -> None:
    plant(stack, tenant, passes)
    turns = iter(range(1000))

    def rule(call: Call) -> Fault | None:
        if call.operation != "TransactWriteItems" or next(turns) % 2:
            return None
        return LostAnswer() if trouble == "lost answers" else conflict(call)

    with inject(rule) as injection:
        run_check(tenant, tmp_path, repair=True)

    assert injection.faults >= 3
    consistent(tenant.project_id)
    assert run_check(tenant, tmp_path).is_clean


def test_a_writer_between_look_and_mend_wins(
    stack: Stack,
    tenant: Tenant,
    passes: list[Pass],
    tmp_path: Path,
    consistent: Consistent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each mend is met by a write of what it is about; then it must fail, and be made anew from what is there now."""
    plant(stack, tenant, passes)
    mend = DynamoLooks.mend
    outcomes: list[bool] = []
    met: set[tuple[Kind, str]] = set()

    def meet(self: DynamoLooks, damage: Damage) -> None:
        if damage.spot not in met and damage.kind is not Kind.PASS_KEYS:
            met.add(damage.spot)
            name = f"new {len(met)}"
            make_passes(tenant.project_id, 1, template_id=passes[0].template_id, tags=["b"])
            for pass_ in get_passes(tenant):
                reference = PassReference(pass_id=pass_.pass_id)
                tagging.add_tags(get_platform(), project_id=tenant.project_id, reference=reference, names=[name])
        try:
            mend(self, damage)
            outcomes.append(True)
        except Conflict:
            outcomes.append(False)
            raise

    monkeypatch.setattr(DynamoLooks, "mend", meet)
    run_check(tenant, tmp_path, repair=True)
    monkeypatch.undo()
    run_check(tenant, tmp_path, repair=True)

    assert outcomes.count(False) >= 5
    consistent(tenant.project_id)
    assert run_check(tenant, tmp_path).is_clean


def get_passes(tenant: Tenant) -> list[Pass]:
    """Every pass of the project."""
    ids = [each["id"] for each in tenant.call("GET", "/v1/pass?pageSize=1000")["passes"]]
    return list(get_platform().passes.get_passes(ids).values())


# Stopping and going on


class Stopped(BaseException):
    """The process ends here."""


def stop_after(units: int) -> Callable[[str, int], None]:
    left = iter(range(units - 1, -1, -1))

    def advance(_: str, __: int) -> None:
        if next(left, 0) == 0:
            raise Stopped

    return advance


def test_a_check_that_is_killed_after_any_unit_goes_on_and_finds_everything_once(
    stack: Stack, tenant: Tenant, passes: list[Pass], tmp_path: Path
) -> None:
    planted = plant(stack, tenant, passes)
    findings: list[Finding] = []
    stops = 0
    while True:
        try:
            # not patient enough to conclude before it is stopped: what waits is kept
            summary = run_check(tenant, tmp_path, patience_seconds=1.0, report=findings.append, advance=stop_after(1))
            break
        except Stopped:
            stops += 1
            assert (tmp_path / "state.json").exists()

    assert stops > 10
    spots = [finding.damage.spot for finding in findings]
    assert len(spots) == len(set(spots)) == planted == summary.found
    assert not (tmp_path / "state.json").exists()


def test_a_check_says_that_it_goes_on_and_refuses_the_state_of_another(
    stack: Stack, tenant: Tenant, tmp_path: Path
) -> None:
    make_passes(tenant.project_id, 1)
    with pytest.raises(Stopped):
        run_check(tenant, tmp_path, advance=stop_after(3))
    state = tmp_path / "state.json"

    same = CheckOptions(project_id=tenant.project_id, rate=5.0)
    assert open_check(same, state_file=state).is_resumed
    assert open_check(same, state_file=state).progress.stage is not None
    for other in (CheckOptions(), CheckOptions(project_id=tenant.project_id, repair=True)):
        with pytest.raises(StateMismatch, match="--fresh"):
            open_check(other, state_file=state)
    assert not open_check(CheckOptions(), state_file=state, fresh=True).is_resumed
    state.write_text("[]")
    with pytest.raises(StateMismatch, match="not the state of a check"):
        open_check(same, state_file=state)
    state.write_text("{")
    with pytest.raises(StateMismatch, match="cannot be read"):
        open_check(same, state_file=state)


@pytest.mark.parametrize(("project_id", "concerned"), [(7, True), (8, False), (None, True)])
def test_a_check_of_one_project_is_not_about_others(
    stack: Stack, tmp_path: Path, project_id: int | None, concerned: bool
) -> None:
    damage = Damage(kind=Kind.BLOCK, place="block 1", detail="mixed", project_id=project_id)

    one = open_check(CheckOptions(project_id=7), state_file=tmp_path / "state.json")
    every = open_check(CheckOptions(), state_file=tmp_path / "state.json")

    assert one.concerns(damage) is concerned
    assert every.concerns(damage)


def test_the_state_is_named_after_what_is_checked() -> None:
    assert check_operations.name_state_file(CheckOptions()) == Path("passel-local-check.json")
    assert check_operations.name_state_file(CheckOptions(project_id=7)) == Path("passel-local-check-project-7.json")


def _refuse_reads_of_passes(refusal: Refusal, call: Call) -> Fault | None:
    return refusal if "local-passes" in str(call.body.get("RequestItems", "")) else None


def test_storage_that_stays_busy_ends_the_check_which_can_go_on(
    tenant: Tenant, passes: list[Pass], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking_reads, "_TRIES", 0)
    throttled = Refusal("ProvisionedThroughputExceededException")
    rule = partial(_refuse_reads_of_passes, throttled)
    with inject(rule), pytest.raises(Busy):
        run_check(tenant, tmp_path)
    assert (tmp_path / "state.json").exists()

    assert run_check(tenant, tmp_path).is_clean
