"""Devices: register, unregister, and ask which passes have changed (wallets, sections 2.2 to 2.4 and 3)."""

from __future__ import annotations

from functools import partial
from typing import Any

from chalice import Blueprint, Response

from chalicelib.api.declared import Parameter, Says
from chalicelib.api.passkit.entry import WalletRequest, empty, note_pass, read_device_id, wallet_route
from chalicelib.api.requests import JSON, decode
from chalicelib.domain import registering
from chalicelib.domain.device_tag import HeldPass, list_changes
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.passes import Pass
from chalicelib.domain.push_services import is_acceptable_url
from chalicelib.domain.recognising import recognise_wallet
from chalicelib.domain.registering import Registered
from chalicelib.domain.registrations import Installation, device_key
from chalicelib.settings import get_settings

devices = Blueprint(__name__)

_DEVICE = "/v1/devices/{device_id}"

_REGISTER: Says = {"body": "read_by_hand.RegistrationBody", "answers": {200: None, 201: None}}


@wallet_route(devices, _DEVICE + "/registrations/{pass_type}/{serial_number}", methods=["POST"], **_REGISTER)
def register_device(request: WalletRequest, device_id: str, pass_type: str, serial_number: str) -> Response:
    """Register a device for a pass

    201 for a new registration, 200 for one that was there, whose push token is replaced. Which wallet it is, is told
    from path, scheme, User-Agent and `X-Pass-Client`.
    """
    return _register(request, device_id, pass_type, serial_number, attido_path=False)


@wallet_route(devices, _DEVICE + "/registrations_attido/{pass_type}/{serial_number}", methods=["POST"], **_REGISTER)
def register_attido_device(request: WalletRequest, device_id: str, pass_type: str, serial_number: str) -> Response:
    """Register a device for a pass, as PassWallet does

    As on the usual path; `pushServiceUrl` says where the device is pushed.
    """
    return _register(request, device_id, pass_type, serial_number, attido_path=True)


def _register(
    request: WalletRequest, device_id: str, pass_type: str, serial_number: str, *, attido_path: bool
) -> Response:
    outcome = registering.register(
        request.platform,
        request.held_pass(pass_type=pass_type, serial_number=serial_number),
        device_id=read_device_id(device_id),
        read_installation=partial(_read_installation, request, attido_path=attido_path),
        ip=request.source_ip,
    )
    return empty(201 if outcome is Registered.NEW else 200)


def _read_installation(request: WalletRequest, pass_: Pass, *, attido_path: bool) -> Installation:
    note_pass(pass_)
    document = request.document
    if not isinstance(document, dict):
        raise InvalidRequest("must be a JSON object", field="body")
    url = _read_push_service_url(document.get("pushServiceUrl"))
    wallet = recognise_wallet(
        attido_path=attido_path,
        scheme=request.scheme_and_token[0],
        user_agent=request.header("user-agent") or "",
        pass_client=request.header("x-pass-client"),
        push_service_url=url,
    )
    return Installation(wallet=wallet, push_token=_read_push_token(document.get("pushToken")), push_service_url=url)


def _read_push_token(value: Any) -> str:
    limit = get_settings().limits.push_token_characters
    if not isinstance(value, str) or not 0 < len(value) <= limit or not value.isprintable() or not value.strip():
        raise InvalidRequest(f"must be a text of 1 to {limit} characters", field="pushToken")
    return value


def _read_push_service_url(value: Any) -> str | None:
    """The address that a device names for its pushes; with one of no use it just polls (wallets, section 3.4)."""
    limit = get_settings().limits.push_service_url_characters
    usable = isinstance(value, str) and is_acceptable_url(value, maximum_characters=limit)
    return value if usable else None


@wallet_route(devices, _DEVICE + "/registrations/{pass_type}/{serial_number}", methods=["DELETE"], answers={200: None})
def unregister_device(request: WalletRequest, device_id: str, pass_type: str, serial_number: str) -> Response:
    """Unregister a device

    200 also when nothing was registered.
    """
    return _unregister(request, device_id, pass_type, serial_number)


@wallet_route(
    devices, _DEVICE + "/registrations_attido/{pass_type}/{serial_number}", methods=["DELETE"], answers={200: None}
)
def unregister_attido_device(request: WalletRequest, device_id: str, pass_type: str, serial_number: str) -> Response:
    """Unregister a device, on the path of PassWallet

    200 also when nothing was registered.
    """
    return _unregister(request, device_id, pass_type, serial_number)


def _unregister(request: WalletRequest, device_id: str, pass_type: str, serial_number: str) -> Response:
    registering.unregister(
        request.platform,
        request.held_pass(pass_type=pass_type, serial_number=serial_number),
        device_id=decode(device_id),
        note=note_pass,
        ip=request.source_ip,
    )
    return empty(200)


TAG = Parameter(
    name="passesUpdatedSince", text="The `lastUpdated` of an earlier answer. Without it, or if it is of no use: all."
)


@wallet_route(
    devices,
    _DEVICE + "/registrations/{pass_type}",
    methods=["GET"],
    open_to_all=True,
    query=(TAG,),
    answers={200: "wallet_answers.ChangedPasses", 204: None},
)
def list_changed_passes(request: WalletRequest, device_id: str, pass_type: str) -> Response:
    """List the passes of a device that have changed

    200 with serial numbers and a tag for the next time, or 204 if nothing has changed. The device proves itself with
    its id alone.
    """
    device = device_key(device_id=decode(device_id), pass_type=decode(pass_type))
    held = [
        HeldPass(registration_id=registration_id, serial_number=serial_number, version=version)
        for registration_id, serial_number, version in request.platform.registrations.list_held(device=device)
    ]
    changes = list_changes(held, request.query(TAG.name))
    if changes is None:
        return empty(204)
    document = {"serialNumbers": changes.serial_numbers, "lastUpdated": changes.tag}
    return Response(body=document, status_code=200, headers={"Content-Type": JSON})
