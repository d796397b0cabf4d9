"""What bringing passes to Google takes, against a Google that is played in this process."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.operation_meter import Gateway, Taken, take_bodies
from benchmarks.operation_scenes import Engines, Scene, make_scene
from chalicelib.domain import bulk_updates, updating
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.cost_units import Operation
from chalicelib.domain.passes import PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Wallet
from local.google_api import GoogleApi

if TYPE_CHECKING:
    from benchmarks.operation_costs import OperationCost

ISSUER = "3388000000012345678"
OBJECTS = (10, 20)
"""written at a time: Google's pace makes them slow"""


def measure_google(
    stack: Engines, platform: Platform, gateway: Gateway, *, counts: tuple[int, ...] = OBJECTS
) -> Iterator[OperationCost]:
    """A change of single passes, which writes each object, and one of all passes, which writes their class."""
    from benchmarks.operation_costs import _row

    with GoogleApi(issuer_id=ISSUER) as api:
        for count in counts:
            scene, tokens = _make_objects(stack, platform, gateway, api, count)
            _update_each(scene)
            yield _row(scene, Operation.DELIVER_GOOGLE, _deliver(scene, api, tokens, requests=count), count)
            # objects that show nothing of their own: one that does is written once more, to show the class again
            scene, tokens = _make_objects(stack, platform, gateway, api, count)
            _update_all(scene)
            scene.deliver(Wallet.GOOGLE_WALLET, tokens[:1])  # writes the class
            yield _row(scene, Operation.DELIVER_GOOGLE_SHARED, _deliver(scene, api, tokens, requests=0), count)


def _make_objects(
    stack: Engines, platform: Platform, gateway: Gateway, api: GoogleApi, count: int
) -> tuple[Scene, list[str]]:
    """A project whose passes are at Google, and the ids of their objects there."""
    scene = make_scene(stack, gateway, platform, passes=count, tags=1, kilobytes=1)
    _open_account(scene.project_id, api)
    tokens = [f"{ISSUER}.{pass_.serial_number}" for pass_ in scene.passes]
    scene.deliver(Wallet.GOOGLE_WALLET, tokens)
    return scene, tokens


def _open_account(project_id: int, api: GoogleApi) -> None:
    """An issuer of the project's own, with a service account made for it."""
    folder = Path(os.environ["PASSEL_CERTIFICATES"].removeprefix("file:")) / str(project_id)
    folder.mkdir()
    google = {"issuer_id": ISSUER, "rest_base_url": api.rest_base_url, "token_url": api.token_url}
    (folder / "wallets.json").write_text(json.dumps({"google": google}), encoding="utf-8")
    key = generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "client_email": f"{project_id}@passes.example",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "private_key_id": secrets.token_hex(20),
        "token_uri": api.token_url,
    }
    (folder / "google.json").write_text(json.dumps(account), encoding="utf-8")


def _update_each(scene: Scene) -> None:
    for pass_ in scene.passes:
        updating.update_pass(
            scene.platform,
            project_id=scene.project_id,
            reference=PassReference(pass_id=pass_.pass_id),
            update=ContentUpdate(fields={"Points": {"value": secrets.token_hex(4)}}),
        )


def _update_all(scene: Scene) -> None:
    update = ContentUpdate(fields={"Points": {"value": secrets.token_hex(4)}})
    bulk_updates.start_bulk_update(scene.platform, project_id=scene.project_id, segment="tag-0", update=update)
    scene.work_off("plan")
    scene.work_off("segment")
    take_bodies(scene.stack.queues, "push")


def _deliver(scene: Scene, api: GoogleApi, tokens: list[str], *, requests: int) -> Taken:
    """Raises:
    RuntimeError: Google got more or fewer requests than it should.
    """
    before = len(api.requests())
    taken = scene.deliver(Wallet.GOOGLE_WALLET, tokens)
    if len(api.requests()) - before != requests:
        raise RuntimeError(f"{len(api.requests()) - before} requests to Google instead of {requests}")
    return taken
