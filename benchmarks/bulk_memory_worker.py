"""One worker whose memory is watched: handles segments as Lambda would, all in one process.

`python -m benchmarks.bulk_memory_worker` takes lists of segments, handles them, and tells its memory.
"""

from __future__ import annotations

import gc
import hashlib
import logging

from chalice.local import LambdaContext

from benchmarks.bulk_processes import answer, requests, resident_bytes
from chalicelib.schemas.messages import SegmentMessage
from chalicelib.workers.handlers import HANDLERS
from local.environment import PREFIX


def handle_segment(ticket_id: int, segment: int) -> None:
    """Calls the worker function with an event of SQS as Lambda gets it."""
    body = SegmentMessage(ticket_id=ticket_id, segment=segment).model_dump_json()
    record = {
        "messageId": f"{ticket_id}-{segment}",
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{PREFIX}segment",
        "awsRegion": "us-east-1",
    }
    context = LambdaContext(function_name="update_segment", memory_size=1024, max_runtime_ms=60_000)
    HANDLERS["segment"]({"Records": [record]}, context)


def main() -> None:
    """Handle segments until the input ends."""
    logging.getLogger("passel").setLevel(logging.WARNING)
    answer("ready")
    for job in requests():
        for segment in job["segments"]:
            handle_segment(job["ticket_id"], segment)
        answer({"resident_bytes": resident_bytes(), "objects": len(gc.get_objects())})


if __name__ == "__main__":
    main()
