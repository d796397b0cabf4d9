"""Taking turns at Google: 20 requests a second are published for a whole account (wallets, section 4.4)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from chalicelib.domain.google_ports import Pace, RateStore

REQUESTS_PER_SECOND = 18
"""below the published rate, for what clocks of several machines differ by"""

SPACING = timedelta(seconds=1) / REQUESTS_PER_SECOND

BLOCK = 9
"""moments that a worker reserves at a time, half a second's worth"""


class TurnIsFar(Exception):
    """The next free moment lies beyond the caller's patience."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"the account is free in {retry_after_seconds:.0f} s")
        self.retry_after_seconds = retry_after_seconds


class Pacer:
    """Lets each request of an account go at a moment of its own, over all workers. One of these serves all threads.

    A moment that was missed is not made up for, so that quiet seconds are not followed by bursts.
    """

    def __init__(self, store: RateStore, *, now: Callable[[], datetime], sleep: Callable[[float], None]) -> None:
        self._store = store
        self._now = now
        self._sleep = sleep
        self._lock = Lock()
        self._reserved: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def wait(self, account: str, pace: Pace) -> datetime:
        """Sleeps until the account may be asked once, and returns the moment that was reserved for it.

        Raises:
            TurnIsFar: that would take longer than the caller's patience.
            Busy: storage cannot be reached.
        """
        deadline = self._now() + timedelta(seconds=pace.patience_seconds)
        while True:
            moment = self._take(account, pace.ahead, deadline=deadline)
            if (wait_seconds := (moment - self._now()).total_seconds()) > 0:
                self._sleep(wait_seconds)
            if self._now() < moment + SPACING:
                return moment

    def hold_off(self, account: str, *, seconds: float) -> None:
        """Google asks everybody to wait: nobody gets a moment before. Raises Busy."""
        with self._lock:
            self._reserved.pop(account, None)
        self._store.hold_off(account=account, until=self._now() + timedelta(seconds=seconds))

    def _take(self, account: str, ahead: int, *, deadline: datetime) -> datetime:
        with self._lock:
            reserved, now = self._reserved[account], self._now()
            if not reserved:
                count = max(1, min(ahead, BLOCK))
                horizon = max(deadline - now, timedelta())
                first = self._store.reserve(account=account, count=count, spacing=SPACING, now=now, horizon=horizon)
                if first > now + horizon:
                    raise TurnIsFar((first - now).total_seconds())
                reserved.extend(first + position * SPACING for position in range(count))
            if reserved[0] > deadline:
                raise TurnIsFar((reserved[0] - now).total_seconds())
            return reserved.popleft()
