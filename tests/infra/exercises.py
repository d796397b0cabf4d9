"""Uses what production uses of the dependencies, and says what came out: the archives are held against this machine.

As a program, `exercises.py <code> <packages>`, it does so with what lies in these two folders alone; the inputs come as
JSON on standard input and the results leave as JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

SERVICES = ("dynamodb", "s3", "secretsmanager", "sqs", "ssm")
REGIONS = ("eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Inputs = dict[str, str]
Results = dict[str, Any]


def make_clients(inputs: Inputs) -> Results:
    """Of each service and region the address, and what can be called."""
    from botocore.session import Session

    session = Session()
    session.set_credentials("key", "secret")
    clients = {
        f"{service} {region}": session.create_client(service, region) for service in SERVICES for region in REGIONS
    }
    return {
        name: {"address": client.meta.endpoint_url, "operations": sorted(client.meta.method_to_api_mapping)}
        for name, client in clients.items()
    }


def sign_request(inputs: Inputs) -> Results:
    """The address of an object, signed: for that botocore asks its rules of addresses."""
    from botocore.session import Session

    session = Session()
    session.set_credentials("key", "secret")
    client: Any = session.create_client("s3", "eu-central-1")
    place = {"Bucket": "images", "Key": "a/1x.png"}
    return {"address": client.generate_presigned_url("get_object", Params=place).partition("?")[0]}


def convert_images(inputs: Inputs) -> Results:
    """Each image as it is stored, or why it is refused."""
    from chalicelib.domain.assets import AssetType
    from chalicelib.domain.errors import InvalidRequest
    from chalicelib.wallets.images import convert_image

    results = {}
    for name, text in inputs.items():
        if name.startswith("image "):
            data = base64.b64decode(text)
            try:
                converted = convert_image(data, asset_type=AssetType.LOGO, maximum_pixels=1_000_000)
            except InvalidRequest as error:
                results[name] = [str(error)]
            else:
                results[name] = [_digest(file) for file in (converted.original, *converted.scaled.values())]
    return results


def draw_preview(inputs: Inputs) -> Results:
    """A card with text, an image and a QR code, as a picture and as a page."""
    from chalicelib.domain.content import Content, Entry
    from chalicelib.pages.codes import qr_png, qr_svg
    from chalicelib.pages.preview import render_preview
    from chalicelib.pages.rendering import render_message_page
    from chalicelib.pages.views import view_content

    content = Content(
        fields={"points": Entry({"fieldType": "primary", "value": "120", "label": "Punkte für Übungen"})},
        headers={
            "logo_text": Entry({"value": "Paw Planet"}),
            "barcode_type": Entry({"value": "qr"}),
            "barcode_value": Entry({"value": "12345"}),
        },
    )
    card = view_content(
        content,
        style="generic",
        organization="Paw Planet",
        description="Membership",
        base_url="https://passes.example",
        now=MOMENT,
        redeem_code="",
    )
    picture = render_preview(card, lambda asset_id: base64.b64decode(inputs["image png"]))
    return {
        "picture": _digest(picture),
        "page": render_message_page("Gone", "This pass is no longer there.").html,
        "svg": _digest(qr_svg("12345").encode()),
        "png": _digest(qr_png("12345", scale=4)),
    }


def sign_passes(inputs: Inputs) -> Results:
    """The signature of a manifest, which is the same each time."""
    from chalicelib.domain.certificates import CertificateBundle
    from chalicelib.wallets.apple.credentials import check_credentials
    from chalicelib.wallets.apple.signature import sign_manifest

    bundle = CertificateBundle(
        "default", inputs["certificate"].encode(), inputs["key"].encode(), inputs["wwdr"].encode()
    )
    credentials = check_credentials(bundle, scope="shared", now=MOMENT)
    return {"signature": _digest(sign_manifest(b"{}", credentials=credentials, signed_at=MOMENT))}


def sign_tokens(inputs: Inputs) -> Results:
    """What Google and Apple ask for: one signed with RSA, and one on a curve, which differs each time."""
    import httpx

    from chalicelib.domain.wallet_services import AppleKey, GoogleAccount
    from chalicelib.wallets.apple.push_tokens import ProviderToken
    from chalicelib.wallets.google.service_accounts import ServiceAccounts

    key_file = {"client_email": "a@example.com", "private_key": inputs["key"], "private_key_id": "1"}
    with httpx.Client() as http:
        token = ServiceAccounts(http).sign(GoogleAccount(issuer_id="1", service_account=key_file), {"iss": "a"})
    provider = ProviderToken(
        AppleKey(key_id="A", team_id="B", private_key=inputs["elliptic key"]), now=lambda: MOMENT
    ).get()
    return {"google": token, "apple": provider.rpartition(".")[0]}


def call_out(inputs: Inputs) -> Results:
    """What becomes of requests to an address where nobody listens, with and without an event loop."""
    import asyncio

    import httpx

    async def fail(address: str) -> str:
        async with httpx.AsyncClient(http2=True) as client:
            try:
                await client.get(address)
            except httpx.HTTPError as error:
                return type(error).__name__
        return "answered"

    with socket.socket() as taken, httpx.Client(http2=True) as client:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        try:
            client.get(address)
            alone = "answered"
        except httpx.HTTPError as error:
            alone = type(error).__name__
        return {"alone": alone, "in a loop": asyncio.run(fail(address))}


def read_form(inputs: Inputs) -> Results:
    """The parts of an upload, and a host name in another script."""
    from chalicelib.api.multipart import read_multipart
    from chalicelib.outbound.hosts import judge_host

    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    parts = read_multipart(body, "multipart/form-data; boundary=x", maximum_file_bytes=100)
    judged = {name: judge_host(name, allowed_networks=()) for name in ("bücher.example", "10.0.0.1")}
    return {"parts": {name: part.text for name, part in parts.items()}, **judged}


EXERCISES: dict[str, Callable[[Inputs], Results]] = {
    exercise.__name__: exercise
    for exercise in (
        *(make_clients, sign_request, convert_images, draw_preview),
        *(sign_passes, sign_tokens, call_out, read_form),
    )
}


def perform(inputs: Inputs) -> Results:
    """The results of all exercises by their names, as they come back from JSON."""
    results: Results = json.loads(json.dumps({name: exercise(inputs) for name, exercise in EXERCISES.items()}))
    return results


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]
    json.dump(perform(json.load(sys.stdin)), sys.stdout)
