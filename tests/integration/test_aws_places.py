"""Images in a bucket, certificates and wallets' documents in parameters: where AWS has them, and other tests folders.

The functions may reach there what their policies grant, as everywhere in these tests.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.session import Session

from chalicelib.domain.certificates import SHARED
from chalicelib.domain.passes import Pass
from chalicelib.domain.registrations import Wallet
from chalicelib.store.certificates import MEMBERS
from chalicelib.wiring import get_platform
from chalicelib.workers.watch import watch_certificates
from local.clients import ACCESS_KEY, REGION
from local.environment import PREFIX
from local.google_api import GoogleApi
from tests.contract.test_passworks_assets import create
from tests.support import devices
from tests.support.aws_actions import ACCOUNT
from tests.support.builders import make_passes
from tests.support.google_issuer import make_key_file, service_key
from tests.support.google_wallet import ISSUER, changed_settings, run_google_wallet
from tests.support.phones import PKPASS
from tests.support.stack import Stack, Tenant

BROWSER = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
BUCKET = f"{PREFIX}assets-{ACCOUNT}"
PATH = f"/{PREFIX}".rstrip("-") + "/certificates"


SCHEDULED: dict[str, Any] = {
    **dict.fromkeys(("version", "account", "region", "detail-type", "source", "time", "id"), ""),
    "detail": {},
    "resources": [],
}
"""what a schedule hands over (EventBridge user guide, `eb-events-structure`)"""


@pytest.fixture
def google() -> Iterator[GoogleApi]:
    with GoogleApi(issuer_id=ISSUER, public_key=service_key().public_key()) as running:
        yield running


@pytest.fixture
def places(stack: Stack, google: GoogleApi) -> Iterator[Any]:
    """While a test runs, everything is there; the client of the bucket."""
    address = stack.queues.meta.endpoint_url
    parameters, bucket = _create_client("ssm", address), _create_client("s3", address)
    for name, value in _list_parameters(google):
        parameters.put_parameter(Name=f"{PATH}/{SHARED}/{name}", Value=value, Type="SecureString", Overwrite=True)
    bucket.create_bucket(Bucket=BUCKET)
    variables = {
        "PASSEL_ASSETS": f"s3:{BUCKET}",
        "PASSEL_CERTIFICATES": f"ssm:{PATH}",
        "AWS_ENDPOINT_URL_S3": address,
        "AWS_ENDPOINT_URL_SSM": address,
    }
    try:
        with changed_settings(variables):
            get_platform.cache_clear()
            yield bucket
    finally:
        get_platform.cache_clear()
        parameters.close()
        bucket.close()


def _create_client(service: str, address: str) -> Any:
    return Session().create_client(
        service,
        region_name=REGION,
        endpoint_url=address,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
    )


def _list_parameters(google: GoogleApi) -> Iterator[tuple[str, str]]:
    """What the folder of the other tests holds, and an account at Google."""
    folder = Path(os.environ["PASSEL_CERTIFICATES"].removeprefix("file:")) / SHARED / "default"
    for member in MEMBERS:
        yield f"default/{member}", (folder / f"{member}.pem").read_text()
    addresses = {"issuer_id": ISSUER, "rest_base_url": google.rest_base_url, "token_url": google.token_url}
    yield "wallets", json.dumps({"google": addresses})
    yield "google", json.dumps(make_key_file(token_uri=google.token_url))


def test_an_image_is_kept_in_the_bucket_until_it_is_deleted(tenant: Tenant, places: Any) -> None:
    asset = create(tenant)
    image = httpx.get(asset["asset_url"], trust_env=False)
    assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
    assert _list_keys(places)

    assert tenant.call("DELETE", f"/v2/assets/{asset['id']}") == {"errors": []}
    assert _list_keys(places) == []


def _list_keys(bucket: Any) -> list[str]:
    listed: Mapping[str, Any] = bucket.list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in listed.get("Contents", ())]


def test_an_image_that_is_missing_is_missed_and_not_forbidden(tenant: Tenant, places: Any) -> None:
    asset = create(tenant)
    for key in _list_keys(places):
        places.delete_object(Bucket=BUCKET, Key=key)
    assert httpx.get(asset["asset_url"], trust_env=False).status_code == 404


@pytest.mark.usefixtures("places")
def test_a_pass_is_signed_with_what_the_parameters_hold(tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1)
    url = tenant.call("GET", f"/v1/pass/{pass_.pass_id}")["url"]
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, PKPASS)


@pytest.mark.usefixtures("places", "tenant")
def test_the_certificates_of_every_project_are_watched(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="passel")
    watch_certificates(SCHEDULED, None)
    assert "watch_certificates is done" in caplog.text


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("wallet", [wallet for wallet in Wallet if wallet is not Wallet.GOOGLE_WALLET])
def test_a_wallet_is_told_with_what_the_parameters_hold(stack: Stack, tenant: Tenant, wallet: Wallet) -> None:
    (pass_,) = make_passes(tenant.project_id, 1)
    device = f"of {tenant.project_id} with {wallet}"
    devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device=device, wallet=wallet)
    _change(stack, tenant, pass_)
    # the devices of PassWallet have to name their service, and this one does not
    assert stack.vendors.feed.count(f"token of {device}") == (wallet is not Wallet.PASSWALLET)


@pytest.mark.usefixtures("places")
def test_google_is_told_with_what_the_parameters_hold(stack: Stack, tenant: Tenant, google: GoogleApi) -> None:
    (pass_,) = make_passes(tenant.project_id, 1)
    address = tenant.call("GET", f"/v1/pass/{pass_.pass_id}")["publicUrl"]["path"]
    with run_google_wallet(stack.url) as phone:
        link = httpx.get(f"{address}.google", headers={"User-Agent": BROWSER}, trust_env=False)
        assert link.status_code == 302
        assert phone.save(pass_.serial_number).status_code == 200
        _change(stack, tenant, pass_)
    assert google.received[-1].method == "PATCH"


def _change(stack: Stack, tenant: Tenant, pass_: Pass) -> None:
    """A worker knows nothing of what the API has read."""
    tenant.call("PUT", f"/v1/pass/{pass_.pass_id}", json={"fields": {"Points": {"value": "1"}}})
    with changed_settings({}):
        stack.drain()
