"""What each operation takes of AWS, by the tags and the size of its pass; what `cost` and docs/cost.md stand on.

`python -m benchmarks.operation_costs` writes `results/operation_costs`. Units are those that dynoxide reports. What a
transaction writes in an index it counts once, as DynamoDB does; how much that is stands in `index_writes`.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from unittest.mock import patch

from benchmarks.apns_process import start_apns
from benchmarks.holders import load_holders
from benchmarks.operation_google import measure_google
from benchmarks.operation_meter import Gateway, Taken, divert_output, meter, repeat, summarise, take_bodies
from benchmarks.operation_scenes import Engines, Scene, make_scene
from benchmarks.operation_sizes import measure_sizes
from chalicelib.domain import registering
from chalicelib.domain.callbacks import CallbackAnswer
from chalicelib.domain.cost_units import Operation
from chalicelib.domain.cost_usage import PAGE
from chalicelib.domain.cost_workloads import MANY
from chalicelib.domain.page_addresses import distribution_code, pass_code
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import PassworksReceiver, Receiver
from chalicelib.domain.registrations import Installation, Wallet, device_key
from chalicelib.workers import callbacks as callback_worker
from chalicelib.workers.sweep import resume_unfinished
from local.certificates import PASS_TYPE
from local.embedded import Embedded, run_embedded

VARIANTS = ((1, 1), (0, 1), (3, 1), (1, 3), (1, 7))
"""tags and kilobytes of the passes; the first is measured with every operation"""

REPEATS = 10
SEGMENT_PASSES = (100, 500)
DELIVERED = (50, 250)

ITEMS = {Operation.CREATE_MANY: MANY, Operation.LIST_PAGE: PAGE}
"""passes of a request that is for several"""

_AS_ON_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "passel-prod-update_segment",
    "_X_AMZN_TRACE_ID": "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
}
"""so that the log has its form, and metrics are written"""

_SCHEDULED = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}
"""what the schedule hands to its function"""

_BROWSER = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"}
_PASSD = {"user-agent": "passd/1.0 CFNetwork/1410.0.3 Darwin/22"}


@dataclass(frozen=True, kw_only=True)
class OperationCost:
    """One operation on passes with so many tags, whose rows fill so many kilobytes."""

    operation: str
    tags: int
    kilobytes: int
    items: int
    """passes, devices or rows that the operation is for"""
    calls: int
    """of DynamoDB"""
    reads: float
    writes: float
    index_writes: float
    """those among the writes that transactions made in indexes"""
    sends: int
    """requests to send messages, as SQS bills them"""
    cpu_milliseconds: float
    answer_bytes: int
    log_bytes: int


Row = Callable[..., OperationCost]


def measure_operations(
    stack: Engines, platform: Platform, *, variants: Sequence[tuple[int, int]] = VARIANTS, repeats: int = REPEATS
) -> Iterator[OperationCost]:
    """Every operation of a single pass or device, on passes of each size."""
    from app import app

    gateway = Gateway(app)
    for tags, kilobytes in variants:
        count = 12 * (repeats + 1)
        scene = make_scene(stack, gateway, platform, passes=count, tags=tags, kilobytes=kilobytes)
        for operation, measure in _single_operations(scene).items():
            yield _row(scene, operation, repeat(repeats, measure), ITEMS.get(operation, 1))
        take_bodies(stack.queues, "push")


def _row(scene: Scene, operation: Operation, taken: Taken, items: int = 1) -> OperationCost:
    return OperationCost(
        operation=operation,
        tags=scene.tags,
        kilobytes=scene.kilobytes,
        items=items,
        calls=taken.calls,
        reads=taken.reads,
        writes=taken.writes,
        index_writes=taken.index_writes,
        sends=taken.sends,
        cpu_milliseconds=round(taken.cpu_milliseconds, 2),
        answer_bytes=taken.answer_bytes,
        log_bytes=taken.log_bytes,
    )


def _single_operations(scene: Scene) -> dict[Operation, Callable[[], Taken]]:
    """In an order in which they can be measured: each takes passes that the ones before have left as they were."""
    passes = iter(scene.passes)
    a_pass, held = next(passes), _Held(scene, next(passes))
    scene.send("PUT", f"/v1/pass/{a_pass.pass_id}/tags", body={"tags": ["another"]})
    scene.send("DELETE", f"/v1/tag/another/pass/{a_pass.pass_id}")
    own = f"/v1/pass/{a_pass.pass_id}"
    template = f"/v1/pass/{scene.template.template_id}"
    new = {"tags": scene.tag_names}
    tagged: list[Pass] = []

    def tag() -> Taken:
        tagged.append(next(passes))
        return scene.measure("PUT", f"/v1/pass/{tagged[-1].pass_id}/tags", body={"tags": ["another"]})

    listed = f"/v1/tag/tag-0/passes?pageSize={PAGE}" if scene.tags else f"/v1/pass?pageSize={PAGE}"
    redeem = f"{scene.campaign_path}/passes"
    page = f"/p/{distribution_code(scene.project_id, scene.template.campaign_id)}"
    code = pass_code(a_pass.pass_id, a_pass.download_token)
    return {
        Operation.CREATE: lambda: scene.measure("POST", template, body=new),
        Operation.CREATE_MANY: lambda: scene.measure("POST", f"{template}/bulk", body={"passes": [new] * MANY}),
        Operation.TAG: tag,
        Operation.UNTAG: lambda: scene.measure("DELETE", f"/v1/tag/another/pass/{tagged.pop().pass_id}"),
        Operation.READ_TAGS: lambda: scene.measure("GET", f"{own}/tags"),
        Operation.READ_PASS: lambda: scene.measure("GET", own),
        Operation.LIST_PAGE: lambda: scene.measure("GET", listed),
        Operation.UPDATE: lambda: scene.measure("PUT", own, body=_new_points()),
        Operation.REDEEM: lambda: scene.measure("POST", f"{redeem}/{next(passes).serial_number}/redeem", body={}),
        Operation.VIEW: lambda: scene.gateway.measure("GET", f"{page}/{code}", headers=_BROWSER),
        Operation.DOWNLOAD: lambda: scene.gateway.measure("GET", f"{page}/{code}.pkpass", headers=_BROWSER),
        Operation.REGISTER_FIRST: lambda: held.register_first(next(passes)),
        Operation.REGISTER_FURTHER: held.register,
        Operation.RENEW: held.renew,
        Operation.ASK: held.ask,
        Operation.ASK_IN_VAIN: held.ask_in_vain,
        Operation.FETCH: held.fetch,
        Operation.UPDATE_HELD: lambda: scene.measure("PUT", f"/v1/pass/{held.pass_.pass_id}", body=_new_points()),
        Operation.UNREGISTER_FURTHER: held.unregister,
        Operation.UNREGISTER_LAST: held.unregister_last,
    }


def _new_points() -> dict[str, object]:
    return {"fields": {"Points": {"value": secrets.token_hex(2)}}}


class _Held:
    """A pass that is on several devices, the first of which stays; and passes that are on one each."""

    def __init__(self, scene: Scene, pass_: Pass) -> None:
        self._scene = scene
        self.pass_ = pass_
        self._first = secrets.token_hex(16)
        self._further: list[str] = []
        self._alone: list[tuple[Pass, str]] = []
        self._register(pass_, self._first)

    def register(self) -> Taken:
        """One device more."""
        self._further.append(secrets.token_hex(16))
        return self._register(self.pass_, self._further[-1])

    def renew(self) -> Taken:
        """The first device has another push token."""
        return self._register(self.pass_, self._first, status=200)

    def unregister(self) -> Taken:
        """The device that came last."""
        return self._send("DELETE", self.pass_, self._further.pop())

    def register_first(self, pass_: Pass) -> Taken:
        """The first device of another pass."""
        self._alone.append((pass_, secrets.token_hex(16)))
        return self._register(*self._alone[-1])

    def unregister_last(self) -> Taken:
        """The one device of such a pass."""
        return self._send("DELETE", *self._alone.pop())

    def _register(self, pass_: Pass, device: str, *, status: int = 201) -> Taken:
        return self._send("POST", pass_, device, body={"pushToken": secrets.token_hex(32)}, status=status)

    def _send(self, method: str, pass_: Pass, device: str, *, body: object = None, status: int = 200) -> Taken:
        path = f"{self._list_path(device)}/{pass_.serial_number}"
        return self._scene.gateway.measure(method, path, body=body, headers=_authorise(pass_), status=status)

    def _list_path(self, device: str) -> str:
        return f"/v1/devices/{device}/registrations/{PASS_TYPE}"

    def ask(self) -> Taken:
        """The first device asks what has changed, and is told of the pass."""
        return self._scene.gateway.measure("GET", self._list_path(self._first), headers=_PASSD)

    def ask_in_vain(self) -> Taken:
        """It asks with the tag of such an answer."""
        answer = self._scene.gateway.send("GET", self._list_path(self._first), headers=_PASSD)
        path = f"{self._list_path(self._first)}?passesUpdatedSince={json.loads(answer['body'])['lastUpdated']}"
        return self._scene.gateway.measure("GET", path, headers=_PASSD, status=204)

    def fetch(self) -> Taken:
        """It fetches the pass."""
        path = f"/v1/passes/{PASS_TYPE}/{self.pass_.serial_number}"
        return self._scene.gateway.measure("GET", path, headers=_authorise(self.pass_))


def _authorise(pass_: Pass) -> dict[str, str]:
    return {**_PASSD, "authorization": f"ApplePass {pass_.authentication_token}"}


def measure_bulk(scene: Scene) -> Iterator[OperationCost]:
    """A bulk update of all passes of a scene, which lie in one segment; then of the same on a device each."""
    items = len(scene.passes)
    yield from _measure_update(scene, {"plan": Operation.PLAN, "segment": Operation.SEGMENT})
    load_holders(scene.platform, [pass_.pass_id for pass_ in scene.passes], advance=lambda _: None)
    queues = {"segment": Operation.SEGMENT_HELD, "push": Operation.SPREAD}
    yield from _measure_update(scene, {"plan": Operation.PLAN, **queues})
    take_bodies(scene.stack.queues, "deliver-passbook")
    with meter() as taken:
        resume_unfinished(_SCHEDULED, None)
    yield _row(scene, Operation.RESUME, taken)
    yield _row(scene, Operation.EMPTY_TAG, scene.measure("DELETE", "/v1/tag/tag-0/passes"))
    yield _row(scene, Operation.SWEEP, scene.work_off("sweep"), items)


def _measure_update(scene: Scene, queues: dict[str, Operation]) -> Iterator[OperationCost]:
    yield _row(scene, Operation.ACCEPT, scene.measure("PUT", "/v1/tag/tag-0/passes", body=_new_points()))
    for queue, operation in queues.items():
        items = 1 if operation is Operation.PLAN else len(scene.passes)
        yield _row(scene, operation, scene.work_off(queue), items)


def measure_deliveries(scene: Scene, *, counts: Sequence[int] = DELIVERED) -> Iterator[OperationCost]:
    """Pushes to iPhones and to one of the wallets that are pushed over HTTP by hundreds: all of these cost the same."""
    for wallet, operation in (
        (Wallet.PASSBOOK, Operation.DELIVER_APPLE),
        (Wallet.WALLET_PASSES, Operation.DELIVER_ANDROID),
    ):
        scene.deliver(wallet, [secrets.token_hex(32)])  # connects
        for count in counts:
            tries = [scene.deliver(wallet, [secrets.token_hex(32) for _ in range(count)]) for _ in range(3)]
            yield _row(scene, operation, summarise(tries), count)


def measure_callback(scene: Scene, *, repeats: int = REPEATS) -> Iterator[OperationCost]:
    """What telling one event takes: what it adds to a registration, and the worker's part but for its request."""
    held = _Held(scene, scene.passes[0])
    untold = repeat(repeats, held.register)
    hook = PassworksReceiver(url="https://hooks.example.com/passworks")
    scene.platform.receivers.put_receiver(
        Receiver(project_id=scene.project_id, secret=secrets.token_hex(16), passworks=hook)
    )

    def tell() -> Taken:
        told, work = held.register(), scene.work_off("callback")
        return replace(
            work,
            calls=work.calls + told.calls - untold.calls,
            reads=work.reads + told.reads - untold.reads,
            writes=work.writes + told.writes - untold.writes,
            index_writes=work.index_writes + told.index_writes - untold.index_writes,
            sends=work.sends + told.sends,
        )

    with patch.object(callback_worker, "get_callback_sender", lambda: lambda _: CallbackAnswer(status=204)):
        taken = repeat(repeats, tell)
    yield _row(scene, Operation.CALLBACK, taken)


def measure_google_save(scene: Scene, *, repeats: int = REPEATS) -> Iterator[OperationCost]:
    """A registration that Google tells of. To check Google's signature is not in it; a line of the log is."""
    passes = iter(scene.passes)
    log_bytes = _Held(scene, next(passes)).register().log_bytes

    def save() -> Taken:
        pass_ = next(passes)
        with meter() as taken:
            found, _ = scene.platform.registrations.find(device="none", pass_id=pass_.pass_id)
            assert found is not None
            registering.add_registration(
                scene.platform,
                found,
                device=device_key(device_id=secrets.token_hex(16), pass_type="google"),
                pass_type="google",
                installation=Installation(wallet=Wallet.GOOGLE_WALLET, push_token=f"3388.{pass_.serial_number}"),
                numbered=registering.take_number(scene.platform, found),
                event=(secrets.token_hex(16), 2_000_000_000),
            )
        return replace(taken, log_bytes=log_bytes)

    yield _row(scene, Operation.SAVE_AT_GOOGLE, repeat(repeats, save))


def measure_all(stack: Engines, platform: Platform) -> dict[str, list[dict[str, object]]]:
    """Everything, as rows of a table each."""
    from app import app, routes

    routes.register_all()  # as on Lambda the app knows none until it is asked
    gateway = Gateway(app)

    def scene(passes: int, tags: int = 1, kilobytes: int = 1) -> Scene:
        return make_scene(stack, gateway, platform, passes=passes, tags=tags, kilobytes=kilobytes)

    measured = list(measure_operations(stack, platform))
    for count in SEGMENT_PASSES:
        measured += measure_bulk(scene(count))
    for tags, kilobytes in ((1, 3), (1, 7)):
        measured += measure_bulk(scene(SEGMENT_PASSES[0], tags, kilobytes))
    measured += _measure_update(scene(SEGMENT_PASSES[0], 3), {"plan": Operation.PLAN, "segment": Operation.SEGMENT})
    measured += measure_deliveries(scene(1))
    measured += measure_callback(scene(1))
    measured += measure_google_save(scene(2 * REPEATS + 2))
    measured += measure_google(stack, platform, gateway)
    return {
        "operations": [asdict(row) for row in _keep_first(measured)],
        "sizes": [asdict(row) for row in measure_sizes(stack)],
    }


def _keep_first(rows: Sequence[OperationCost]) -> list[OperationCost]:
    """One row for each operation and variant, with the least CPU of all that were measured."""
    kept: dict[tuple[str, int, int, int], OperationCost] = {}
    for row in rows:
        key = (row.operation, row.tags, row.kilobytes, row.items)
        before = kept.setdefault(key, row)
        kept[key] = replace(before, cpu_milliseconds=min(before.cpu_milliseconds, row.cpu_milliseconds))
    return list(kept.values())


@contextmanager
def _run() -> Iterator[Embedded]:
    with (
        tempfile.TemporaryDirectory() as folder,
        start_apns(Path(folder) / "apns") as apns,
        run_embedded(database=Path(folder) / "bench.db", variables={**apns.variables, **_AS_ON_LAMBDA}) as stack,
    ):
        if stack.engine_name != "dynoxide":
            raise SystemExit("benchmarks need dynoxide: on another engine the figures mean nothing")
        yield stack


def main() -> None:
    """Measures, and writes the results."""
    from benchmarks.reporting import report_parts

    # the log of what is not measured
    with Path(os.devnull).open("wb") as nowhere, divert_output(nowhere), _run() as stack:
        from chalicelib.wiring import get_platform

        parts = measure_all(stack, get_platform())
    report_parts(parts, name="operation_costs")


if __name__ == "__main__":
    main()
