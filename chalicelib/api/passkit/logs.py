"""What wallets complain about (wallets, sections 2.2 and 2.3). Anyone may post here, so everything is bounded."""

from __future__ import annotations

import logging
import time
from threading import Lock

from chalice import Blueprint, Response

from chalicelib import metrics
from chalicelib.api.declared import Body
from chalicelib.api.passkit.entry import WalletRequest, empty, wallet_route
from chalicelib.domain.device_logs import bound_log, classify_log_line, without_people
from chalicelib.domain.errors import UnreadableBody
from chalicelib.logs import without_secrets
from chalicelib.settings import get_settings

logs = Blueprint(__name__)

LINES_PER_MINUTE = 600
"""of one process; what devices say beyond that is dropped"""

LARGEST_BODY_BYTES = 16 * 1024 * 1024
"""anything that the gateway lets through is answered, however little of it is read"""

_log = logging.getLogger("passel.devices")


class _Allowance:
    """How many lines may still be written in this minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._left = LINES_PER_MINUTE

    def take(self, wanted: int) -> int:
        """How many of the wanted lines may be written."""
        with self._lock:
            minute = int(time.monotonic() // 60)
            if minute != self._minute:
                self._minute, self._left = minute, LINES_PER_MINUTE
            granted = min(wanted, self._left)
            self._left -= granted
            return granted


_allowance = _Allowance()


@wallet_route(
    logs,
    "/v1/log",
    methods=["POST"],
    maximum_body_bytes=LARGEST_BODY_BYTES,
    open_to_all=True,
    body=Body(model="read_by_hand.LogBody", may_be_empty=True),
    answers={200: None},
)
def post_log(request: WalletRequest) -> Response:
    """Report what a wallet complains about

    Always 200: a body of another shape is dropped.
    """
    limits = get_settings().limits
    if len(request.body) <= limits.log_body_bytes:
        try:
            lines = bound_log(request.document, lines=limits.log_lines, characters=limits.log_line_characters)
        except UnreadableBody:
            lines = []
        for line in lines[: _allowance.take(len(lines))]:
            _write(line)
    return empty(200)


def _write(line: str) -> None:
    """One line of the log, with what the device said in a field of its own; a complaint about us is a warning and
    raises a metric. Left out are ids of devices, which open the device's list of passes, and mail addresses."""
    complaint = classify_log_line(line)
    entry = {"event": "device_log", "line": without_people(without_secrets(line))}
    if complaint is not None:
        entry["complaint"] = complaint
        metrics.count("DeviceComplaint", Complaint=complaint)
    level = logging.INFO if complaint is None else logging.WARNING
    _log.log(level, "a device says: %s", entry["line"], extra={"fields": entry})
