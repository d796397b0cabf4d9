"""What a month of a team comes to, in the units that AWS charges for: every operation's, times how often it happens."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Final

from chalicelib.domain.cost_prices import Item
from chalicelib.domain.cost_units import A_TOKEN, FORMULAS, OF_TEAMS, SIZES, Operation, Units
from chalicelib.domain.cost_workloads import HOURS, MANY, Deployment, Workload
from chalicelib.domain.google_pacing import REQUESTS_PER_SECOND
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.spreading import LONGEST_WAIT, MOST_TOKENS, TOKENS_PER_DELIVERY

SECONDS: Final = HOURS * 3600
"""of a month"""
SEGMENT: Final = 1000
"""passes"""
PAGE: Final = 10
"""passes, which is what a list shows unless it is asked for more"""
COUNTERS_PER_READ: Final = 60
"""segments whose counters fit into 4 KB"""

FULL_CPU_MB: Final = 1769
"""memory with which a function has one CPU (Lambda's developer guide, "Configure Lambda function memory")"""
POLLERS: Final = 5
POLLS_PER_MINUTE: Final = 3
"""Lambda asks an idle queue with five connections, each of which waits 20 seconds"""

PLATFORM_LOG_BYTES: Final = 450
"""START, END and REPORT of an invocation, with CloudWatch's 26 bytes a line"""
COMPRESSION: Final = 0.15
"""of what is taken in, that CloudWatch keeps and bills"""
GATEWAY_HEADER_BYTES: Final = 350
"""that API Gateway adds to an answer"""
OUTGOING_BYTES: Final = {Wallet.GOOGLE_WALLET: 3000}
PUSH_BYTES: Final = 200
CALLBACK_BYTES: Final = 2000
"""what is sent to others, headers included, as far as it is not an answer; transport is not in it"""

_SHOW_A_PASS: Final = frozenset({Operation.READ_PASS, Operation.REDEEM, Operation.VIEW})

TRACED_SHARE: Final = 0.05
"""of what comes in a second after its first request (X-Ray's default rule)"""
NEW_PROCESSES: Final = 0.001
"""share of requests that meet a new process, which reads a campaign's images from the bucket"""
IMAGES_PER_PROCESS: Final = 6
DELIVERY_MONTHS: Final = 0.1
"""how long the row of a push is kept: three days"""


@dataclass(slots=True)
class Usage:
    """Amounts by item and by what the team does."""

    workload: Workload
    stage: Deployment
    amounts: dict[Item, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))

    def units(self, operation: Operation, items: float = 1) -> Units:
        """What an operation takes once, on passes as the team has them."""
        units = FORMULAS[operation].units(items=items, tags=self.workload.tags, pass_kb=self.workload.pass_kb)
        if self.stage.index_writes_twice:
            units = replace(units, writes=units.writes + units.index_writes)
        return units

    def add(self, activity: str, units: Units, times: float, *, memory_mb: int, wait_milliseconds: float = 0) -> None:
        """So many invocations of a function."""
        cpu = units.cpu_milliseconds * max(1, FULL_CPU_MB / memory_mb)
        milliseconds = cpu + units.calls * self.stage.call_milliseconds + wait_milliseconds
        seconds = Item.SECONDS_ARM if self.stage.architecture == "arm64" else Item.SECONDS_X86
        log_bytes = units.log_bytes + PLATFORM_LOG_BYTES
        for item, amount in {
            Item.WRITES: units.writes,
            Item.READS: units.reads,
            Item.INVOCATIONS: 1,
            seconds: milliseconds / 1000 * memory_mb / 1024,
            Item.QUEUES: units.sends,
            Item.LOGS: log_bytes,
            Item.KEPT_LOGS: log_bytes * COMPRESSION * self.stage.log_months,
        }.items():
            self.amounts[item][activity] += times * amount

    def request(
        self, activity: str, operation: Operation, times: float, *, items: float = 1, more: Units | None = None
    ) -> None:
        """So many requests to the API. Answers with a pass or its file are as large as the team's are."""
        units = self.units(operation, items).plus(more or Units())
        if self.stage.rate_limits and operation in OF_TEAMS:
            units = units.plus(A_TOKEN)
        answer = units.answer_bytes
        if operation in (Operation.FETCH, Operation.DOWNLOAD):
            answer = self.workload.file_kb * 1024
        elif operation in _SHOW_A_PASS:
            answer += (self.workload.pass_kb - 1) * 1024
        self.add(activity, units, times, memory_mb=self.stage.api_mb)
        self.amounts[Item.GATEWAY][activity] += times
        self.amounts[Item.TRANSFER][activity] += times * (answer + GATEWAY_HEADER_BYTES)

    def message(
        self,
        activity: str,
        units: Units,
        times: float,
        *,
        memory_mb: int | None = None,
        wait_milliseconds: float = 0,
        sent_bytes: float = 0,
    ) -> None:
        """So many messages: each is received, handled and deleted."""
        memory = memory_mb or self.stage.worker_mb
        self.add(activity, units, times, memory_mb=memory, wait_milliseconds=wait_milliseconds)
        self.amounts[Item.QUEUES][activity] += 2 * times
        self.amounts[Item.TRANSFER][activity] += times * sent_bytes

    def add_bulk_updates(self, times: float) -> None:
        """Bulk updates, with their pushes and what phones fetch."""
        workload = self.workload
        activity = "bulk updates"
        segments, items = _cut_into_segments(workload)
        counters = Units(reads=segments / COUNTERS_PER_READ)
        self.request(activity, Operation.ACCEPT, times, more=counters)
        plan = self.units(Operation.PLAN).plus(counters, 2).plus(Units(sends=segments / 10))
        self.message(activity, plan, times * math.ceil(segments / SEGMENT))
        held = Operation.SEGMENT_HELD if workload.devices else Operation.SEGMENT
        segment = self.units(held, items)
        self.message(activity, segment, times * segments, memory_mb=self.stage.segment_mb)
        if workload.devices:
            self._push_segments("pushes", times * segments, items * workload.devices_per_pass)
            self._wait_for_end("pushes", times, segments, segment)
            self._fetch("phones that fetch", times * segments * items * workload.devices_per_pass)

    def _push_segments(self, activity: str, segments: float, devices: float) -> None:
        """`devices` of each segment are found and told."""
        self.message(activity, self.units(Operation.SPREAD, devices), segments)
        is_shared = self.workload.bulk_share == 1
        for wallet, share in self.workload.wallet_mix.items():
            told = devices * share
            messages = math.ceil(told / TOKENS_PER_DELIVERY.get(wallet, MOST_TOKENS)) if told >= 1 else told
            if messages:
                self._deliver(activity, wallet, segments * messages, told / messages, is_shared=is_shared)

    def _deliver(
        self, activity: str, wallet: Wallet, messages: float, devices: float, *, is_shared: bool = False
    ) -> None:
        """So many messages, each for so many devices. Those to Google wait for their turn, together."""
        operation = {
            Wallet.PASSBOOK: Operation.DELIVER_APPLE,
            Wallet.GOOGLE_WALLET: Operation.DELIVER_GOOGLE_SHARED if is_shared else Operation.DELIVER_GOOGLE,
        }.get(wallet, Operation.DELIVER_ANDROID)
        writes_objects = operation is Operation.DELIVER_GOOGLE
        turn_milliseconds = 1000 * self.stage.google_workers / REQUESTS_PER_SECOND
        sent_bytes = 0 if operation is Operation.DELIVER_GOOGLE_SHARED else OUTGOING_BYTES.get(wallet, PUSH_BYTES)
        self.message(
            activity,
            self.units(operation, devices),
            messages,
            wait_milliseconds=devices * turn_milliseconds if writes_objects else 0,
            sent_bytes=devices * sent_bytes,
        )

    def _wait_for_end(self, activity: str, times: float, segments: float, segment: Units) -> None:
        """Messages to find devices come back until the update is over, after longer and longer times."""
        seconds = (segment.cpu_milliseconds * FULL_CPU_MB / self.stage.segment_mb) / 1000
        seconds += segment.calls * self.stage.call_milliseconds / 1000
        average = min(segments / self.stage.segment_workers * seconds / 2, LONGEST_WAIT.total_seconds())
        again = Units(calls=1, reads=1, sends=1, cpu_milliseconds=self.units(Operation.SPREAD, 0).cpu_milliseconds)
        self.message(activity, again, times * segments * count_waits(average))

    def _fetch(self, activity: str, devices: float) -> None:
        """Devices that were told ask what changed and fetch it; Google's phones get it from Google."""
        phones = devices * (1 - self.workload.wallet_mix.get(Wallet.GOOGLE_WALLET, 0))
        self.request(activity, Operation.ASK, phones)
        self.request(activity, Operation.FETCH, phones)
        self.amounts[Item.IMAGES][activity] += phones * NEW_PROCESSES * IMAGES_PER_PROCESS

    def add_single_updates(self, times: float, *, activity: str = "single updates") -> None:
        """Updates of one pass each."""
        held = times * self.workload.held_share
        self.request(activity, Operation.UPDATE, times - held)
        self.request(activity, Operation.UPDATE_HELD, held)
        self._push_single(held)

    def _push_single(self, held: float) -> None:
        """So many passes change, one in a message, each of which some device holds."""
        devices = self.workload.devices_per_held_pass
        if not held:
            return
        found = self.units(Operation.SPREAD, devices)
        # of a few devices: a unit that is begun is paid for whole
        found = replace(found, reads=max(1.5, found.reads), writes=max(1.0, found.writes))
        self.message("pushes", found, held)
        for wallet, share in self.workload.wallet_mix.items():
            self._deliver("pushes", wallet, held * devices * share, 1)
        self._fetch("phones that fetch", held * devices)

    def add_own_systems(self) -> None:
        """What the team's own systems ask for, and what they are told."""
        workload = self.workload
        self.request("new passes", Operation.CREATE, workload.new_passes_per_month)
        self.request("tags", Operation.TAG, workload.tag_changes_per_month / 2)
        self.request("tags", Operation.UNTAG, workload.tag_changes_per_month / 2)
        self.request("reads", Operation.READ_PASS, workload.reads_per_month)
        counters = Units(reads=workload.passes_per_list / SEGMENT / COUNTERS_PER_READ)
        self.request("reads", Operation.LIST_PAGE, workload.lists_per_month, items=PAGE, more=counters)
        self.request("redeems", Operation.REDEEM, workload.redeems_per_month)
        held = workload.redeems_per_month * workload.held_share
        self.amounts[Item.WRITES]["redeems"] += 2 * held  # the row of the outbox
        self._push_single(held)
        sweeps = workload.emptied_rows_per_month / SEGMENT
        self.message("tags", self.units(Operation.SWEEP, SEGMENT), sweeps)
        told = self.units(Operation.CALLBACK)
        self.message(
            "callbacks",
            told,
            workload.callbacks_per_month,
            wait_milliseconds=self.stage.callback_milliseconds,
            sent_bytes=CALLBACK_BYTES,
        )

    def add_creation(self) -> None:
        """Creating all passes once, as an import does."""
        self.request("new passes", Operation.CREATE_MANY, self.workload.passes / MANY, items=MANY)

    def add_devices(self) -> None:
        """What phones and people do of themselves."""
        workload = self.workload
        activity = "registrations and pages"
        first = 1 / workload.devices_per_held_pass
        at_google = workload.registrations_per_month * workload.wallet_mix.get(Wallet.GOOGLE_WALLET, 0)
        others = workload.registrations_per_month - at_google
        self.request(activity, Operation.SAVE_AT_GOOGLE, at_google)
        self.request(activity, Operation.DOWNLOAD, others)
        self.request(activity, Operation.REGISTER_FIRST, others * first)
        self.request(activity, Operation.REGISTER_FURTHER, others * (1 - first))
        self.request(activity, Operation.UNREGISTER_LAST, workload.removals_per_month * first)
        self.request(activity, Operation.UNREGISTER_FURTHER, workload.removals_per_month * (1 - first))
        self.request(activity, Operation.VIEW, workload.page_views_per_month)
        phones = workload.devices * (1 - workload.wallet_mix.get(Wallet.GOOGLE_WALLET, 0))
        self.request("phones that ask in vain", Operation.ASK_IN_VAIN, phones * workload.polls_per_device_per_month)

    def add_storage(self) -> None:
        """Rows and their index entries; recovery is paid for the tables alone."""
        workload, months = self.workload, 12 * self.stage.years_kept
        at_google = workload.devices * workload.wallet_mix.get(Wallet.GOOGLE_WALLET, 0)
        pushes = workload.devices * workload.bulk_share * workload.bulk_updates_per_month
        pushes += (workload.single_updates_per_month + workload.redeems_per_month) * workload.devices_per_pass
        rows = {
            "memberships": workload.passes * workload.tags,
            "registrations": workload.devices,
            "google-objects": at_google,
            "tickets": (workload.single_updates_per_month + workload.redeems_per_month) * months,
            "redeems": workload.redeems_per_month * months,
            "deliveries": pushes * DELIVERY_MONTHS,
        }
        table_bytes = workload.passes * (workload.pass_kb * 1024 + 100)
        index_bytes = workload.passes * SIZES["passes"].indexes
        for name, count in rows.items():
            table_bytes += count * SIZES[name].table
            index_bytes += count * SIZES[name].indexes
        self.amounts[Item.STORAGE]["storage"] += table_bytes + index_bytes
        if self.stage.recovery:
            self.amounts[Item.RECOVERY]["storage"] += table_bytes

    def add_standing(self) -> None:
        """What a stage costs whatever it does, and the traces of what it has done. To be called last."""
        stage, activity = self.stage, "the stage itself"
        self.add(activity, self.units(Operation.RESUME), stage.resumes, memory_mb=stage.worker_mb)
        self.amounts[Item.QUEUES][activity] += stage.queues * POLLERS * POLLS_PER_MINUTE * 60 * HOURS
        self.amounts[Item.ALARMS][activity] += stage.alarms
        self.amounts[Item.METRICS][activity] += stage.metrics
        self.amounts[Item.DASHBOARDS][activity] += stage.dashboards
        self.amounts[Item.KEYS][activity] += stage.keys
        if stage.tracing:
            invocations = self.amounts[Item.INVOCATIONS]
            total = sum(invocations.values())
            traces = min(total, SECONDS) + TRACED_SHARE * max(0.0, total - SECONDS)
            for own, times in invocations.items():
                self.amounts[Item.TRACES][own] += traces * times / total


def count_waits(seconds: float) -> int:
    """How often a message that waits so long is sent again (`spreading.spread_push`)."""
    waited, count = 0.0, 0
    while waited < seconds:
        waited += min(10, max(1, round(waited / 2)))
        count += 1
    return count


def _cut_into_segments(workload: Workload) -> tuple[float, float]:
    """Segments that a bulk update finds its passes in, and how many of them in each."""
    passes = workload.passes * workload.bulk_share
    segments = min(math.ceil(workload.passes / SEGMENT), passes)
    return segments, passes / segments if segments else 0.0
