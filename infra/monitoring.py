"""Alarms and the dashboard of a stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.definition import Queue

Json = dict[str, Any]


def render_monitoring(
    *,
    app_name: str,
    stage: str,
    prefix: str,
    api_stage: str,
    functions: Sequence[str],
    queues: Sequence[Queue],
    alarm_email: str | None,
) -> Json:
    """CloudFormation resources by logical id."""
    return {}
