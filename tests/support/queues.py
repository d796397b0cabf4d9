"""Queues as tests need them."""

from __future__ import annotations

from local.environment import PREFIX
from tests.support.stack import Stack


def purge(stack: Stack, queue: str) -> None:
    """Drops all messages of a queue: what waits for long would hold up every later test."""
    url = stack.queues.get_queue_url(QueueName=PREFIX + queue)["QueueUrl"]
    stack.queues.purge_queue(QueueUrl=url)
