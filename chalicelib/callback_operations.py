"""What operators do about callbacks: who is told, what it is signed with, and another chance for what was given up."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from chalicelib.domain import receiver_editing
from chalicelib.domain.callback_events import CALLBACK_QUEUE
from chalicelib.domain.callbacks import DEAD_QUEUE, as_message
from chalicelib.domain.errors import NotFound
from chalicelib.domain.receivers import Dialect, Receiver
from chalicelib.schemas.messages import CallbackMessage
from chalicelib.wiring import get_dead_letters, get_platform


def get_receiver(*, project_id: int) -> Receiver:
    """Who is told of a project's events.

    Raises:
        NotFound: no such project, or nobody.
    """
    _check_project(project_id)
    return receiver_editing.get_receiver_or_raise(get_platform(), project_id=project_id)


def set_airship_receiver(*, project_id: int, base_url: str, headers: dict[str, str]) -> tuple[Receiver, bool]:
    """Sets where Airship's callbacks go; beside the receiver, whether its signing secret is new.

    Raises:
        NotFound: no such project.
        InvalidRequest
    """
    _check_project(project_id)
    return receiver_editing.set_airship_receiver(
        get_platform(), project_id=project_id, base_url=base_url, headers=headers
    )


def set_passworks_receiver(*, project_id: int, url: str, authorization: str | None) -> tuple[Receiver, bool]:
    """Sets where Passworks webhooks go; beside the receiver, whether its signing secret is new.

    Raises:
        NotFound: no such project.
        InvalidRequest
    """
    _check_project(project_id)
    return receiver_editing.set_passworks_receiver(
        get_platform(), project_id=project_id, url=url, authorization=authorization
    )


def remove_receiver(*, project_id: int, dialect: str) -> None:
    """Tells nobody any more in one dialect.

    Raises:
        NotFound: no such project, or nobody is told in it.
    """
    _check_project(project_id)
    receiver_editing.remove_receiver(get_platform(), project_id=project_id, dialect=Dialect(dialect))


def rotate_secret(*, project_id: int) -> Receiver:
    """Makes a new signing secret; the old one signs for another week.

    Raises:
        NotFound: no such project, or nobody is told of anything.
    """
    _check_project(project_id)
    return receiver_editing.rotate_secret(get_platform(), project_id=project_id)


def redrive(*, project_id: int | None = None) -> tuple[int, int]:
    """Gives callbacks that were given up another day, of one project or of all; how many, and how many were left.

    What cannot be read is left, and so is what another operator takes at the same time.

    Raises:
        NotFound: no such project.
    """
    if project_id is not None:
        _check_project(project_id)
    platform, letters = get_platform(), get_dead_letters()
    sent, left = 0, []
    while taken := letters.take(DEAD_QUEUE):
        for letter in taken:
            message = _read(letter.body)
            if message is None or project_id not in (None, message.project_id):
                left.append(letter)
                continue
            again = replace(message.as_task(), attempt=0, since=platform.now(), not_before=None)
            # first sent, then removed: a callback may be told twice, but is not lost
            platform.queues.send_documents(CALLBACK_QUEUE, [{**as_message(again), "outbox": message.outbox}])
            letters.remove(DEAD_QUEUE, letter)
            sent += 1
    for letter in left:
        letters.put_back(DEAD_QUEUE, letter)
    return sent, len(left)


def _read(body: str) -> CallbackMessage | None:
    try:
        return CallbackMessage.model_validate_json(body)
    except ValidationError:
        return None


def _check_project(project_id: int) -> None:
    if get_platform().projects.get_project(project_id=project_id) is None:
        raise NotFound("project", project_id)
