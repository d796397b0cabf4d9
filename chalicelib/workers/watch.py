"""What changes without anybody doing anything: certificates come to their end."""

from __future__ import annotations

import logging
from typing import Any

from chalice import Blueprint, Rate

from chalicelib import logs, metrics
from chalicelib.domain.certificates import SHARED
from chalicelib.wiring import get_keyring, get_platform
from chalicelib.workers.entry import run_schedule

watch = Blueprint(__name__)

_log = logging.getLogger("passel")


@watch.schedule(Rate(1, unit=Rate.DAYS), name="watch_certificates")
def watch_certificates(event: Any) -> None:
    """Measures once a day how long certificates last, and counts those that cannot sign."""
    run_schedule(event, "watch_certificates", _watch)


def _watch() -> None:
    scopes = [SHARED, *(str(project.project_id) for project in get_platform().projects.list_projects())]
    survey = get_keyring().survey(scopes)
    for problem in survey.problems:
        _log.error("%s", problem)
    for scope, days in survey.days_left.items():
        metrics.measure("CertificateDaysLeft", days, Scope=scope)
    # zero as well, so that the alarm sees a mended certificate
    metrics.count("CertificateProblems", len(survey.problems))
    logs.note(scopes=len(scopes), days_left=survey.days_left, problems=len(survey.problems))
