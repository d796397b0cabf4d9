"""Uploading, showing and deleting images in the Passworks dialect (passworks-v2, sections 3, 4, 9 and 12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from chalicelib.domain.content import Content
from chalicelib.domain.looks import Look
from chalicelib.settings import get_settings
from chalicelib.wiring import get_platform
from tests.contract.raw_http import basic, send
from tests.support.stack import Stack, Tenant

UNKNOWN = "0d9d1ed1-97a5-4a5c-8b43-0000000003e7"
TYPES = ["icon", "logo", "strip", "thumbnail", "background", "footer"]


def picture(kind: str = "PNG", *, size: tuple[int, int] = (118, 118)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, kind)
    return file.getvalue()


def upload(
    tenant: Tenant, data: bytes | None = None, *, asset_type: str | None = "icon", **more: Any
) -> httpx.Response:
    file = picture() if data is None else data
    return tenant.request(
        "POST",
        "/v2/assets",
        files={"asset[file]": ("picture.bin", file, "application/octet-stream")},
        data={} if asset_type is None else {"asset[asset_type]": asset_type},
        **more,
    )


def create(tenant: Tenant, asset_type: str = "icon") -> dict[str, Any]:
    response = upload(tenant, asset_type=asset_type)
    assert response.status_code == 201, response.text
    return dict(response.json())


def check_refusal(response: httpx.Response, status: int, error_code: int, errors: Mapping[str, Any]) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    assert (body["status_code"], body["error_code"], body["errors"]) == (status, error_code, dict(errors))
    assert type(body["message"]) is str


@pytest.mark.parametrize("asset_type", TYPES)
def test_an_upload_answers_201_with_the_four_documented_keys(tenant: Tenant, asset_type: str) -> None:
    asset = create(tenant, asset_type)

    assert list(asset) == ["id", "asset_type", "created_at", "asset_url"]
    assert asset["asset_type"] == asset_type
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", asset["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", asset["created_at"])
    assert asset["asset_url"].endswith(f"/uploads/asset/{asset['id']}/original.png")
    assert tenant.call("GET", f"/v2/assets/{asset['id']}") == asset


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_the_address_serves_png_to_anyone(tenant: Tenant, kind: str) -> None:
    asset = upload(tenant, picture(kind, size=(60, 40))).json()

    response = httpx.get(asset["asset_url"], trust_env=False)

    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert "immutable" in response.headers["cache-control"]
    image = Image.open(BytesIO(response.content))
    assert (image.format, image.size) == ("PNG", (60, 40))


@pytest.mark.parametrize("accept", [None, "image/*", "image/avif,image/webp,*/*;q=0.8", "text/html"])
def test_the_address_serves_png_whatever_the_client_accepts(tenant: Tenant, accept: str | None) -> None:
    path = httpx.URL(create(tenant)["asset_url"]).path

    answer = send(tenant, "GET", path, headers={} if accept is None else {"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "path", [f"/uploads/asset/{UNKNOWN}/original.png", "/uploads/asset/none/original.png", "/uploads/asset/{id}/2x.png"]
)
@pytest.mark.parametrize("prefix", ["", "%2e%2e%2f"])
def test_another_address_is_404_with_a_json_body(tenant: Tenant, path: str, prefix: str) -> None:
    target = path.format(id=create(tenant)["id"]).replace("asset/", f"asset/{prefix}")

    answer = send(tenant, "GET", target)

    assert answer.status_code == 404
    assert answer.json()["status_code"] == 404


def test_parts_come_in_any_order_with_headers_of_their_own(tenant: Tenant) -> None:
    """As the Ruby client writes them."""
    boundary = "-----------RubyMultipartPost"
    data = picture()
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="asset[file]"; filename="icon.png"\r\n'
        f"Content-Length: {len(data)}\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    ).encode() + data
    kind = f'--{boundary}\r\nContent-Disposition: form-data; name="asset[asset_type]"\r\n\r\nlogo'.encode()
    headers = {"Authorization": basic(tenant), "Content-Type": f"multipart/form-data; boundary={boundary}"}

    for parts in ((file, kind), (kind, file)):
        body = b"\r\n".join([*parts, f"--{boundary}--\r\n\r\n".encode()])
        answer = send(tenant, "POST", "/v2/assets/", headers=headers, body=body)
        assert (answer.status_code, answer.json()["asset_type"]) == (201, "logo")


@pytest.mark.parametrize("asset_type", [None, "", "poster", "Icon"])
def test_a_type_that_is_none_is_422(tenant: Tenant, asset_type: str | None) -> None:
    problem = f"must be one of {', '.join(TYPES)}"

    check_refusal(upload(tenant, asset_type=asset_type), 422, 10100, {"asset[asset_type]": [problem]})


def test_a_missing_or_empty_file_is_422(tenant: Tenant) -> None:
    missing = tenant.request("POST", "/v2/assets", files={"asset[asset_type]": (None, "icon")})

    for response in (missing, upload(tenant, b"")):
        check_refusal(response, 422, 10100, {"asset[file]": ["can't be blank"]})


def test_a_file_that_is_no_image_is_422(tenant: Tenant) -> None:
    problem = "must be a complete jpg, png or gif image"

    for data in (b"<svg/>", picture("BMP"), picture()[:100]):
        check_refusal(upload(tenant, data), 422, 10100, {"asset[file]": [problem]})


def test_a_file_over_1024_kilobytes_is_422_and_one_of_that_size_is_taken(tenant: Tenant) -> None:
    largest = 1024 * 1024
    data = picture()

    # a decoder ignores what follows the end of an image
    assert upload(tenant, data + b"\0" * (largest - len(data))).status_code == 201
    problem = f"has {largest + 1} bytes, the limit is {largest}"
    too_large = upload(tenant, data + b"\0" * (largest + 1 - len(data)))
    check_refusal(too_large, 422, 10100, {"asset[file]": [problem]})


def test_an_image_of_too_many_pixels_is_422(tenant: Tenant) -> None:
    file = BytesIO()
    Image.new("1", (6000, 5000)).save(file, "PNG")
    limit = get_settings().limits.asset_pixels

    problem = f"has 6000 x 5000 pixels, the limit is {limit} pixels"
    check_refusal(upload(tenant, file.getvalue()), 422, 10100, {"asset[file]": [problem]})


def test_a_body_that_is_no_form_is_400(tenant: Tenant) -> None:
    for headers, body in (
        ({"Content-Type": "application/json"}, b'{"asset": {}}'),
        ({"Content-Type": "multipart/form-data"}, picture()),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\ncut"),
        ({}, b""),
    ):
        check_refusal(tenant.request("POST", "/v2/assets", content=body, headers=headers), 400, 10000, {})


def test_a_refused_upload_leaves_nothing_behind(tenant: Tenant) -> None:
    upload(tenant, b"nothing")
    upload(tenant, asset_type="poster")

    assert tenant.call("GET", "/v2/assets") == []


def test_the_list_is_paged_and_the_oldest_comes_first(tenant: Tenant) -> None:
    created = [create(tenant, asset_type) for asset_type in TYPES]

    assert tenant.call("GET", "/v2/assets") == created
    page = tenant.request("GET", "/v2/assets/?page=2&per_page=4")
    assert page.json() == created[4:]
    assert {name: page.headers[name] for name in ("X-Total", "X-Total-Pages", "X-Page", "X-Prev-Page")} == {
        "X-Total": "6",
        "X-Total-Pages": "2",
        "X-Page": "2",
        "X-Prev-Page": "1",
    }
    assert "X-Next-Page" not in page.headers
    assert tenant.call("GET", "/v2/assets?page=2&per_page=2&offset=1") == created[3:5]
    assert tenant.call("GET", "/v2/assets?page=9") == []


def test_deleting_removes_the_row_and_the_files(tenant: Tenant) -> None:
    asset, other = create(tenant), create(tenant)

    assert tenant.call("DELETE", f"/v2/assets/{asset['id']}") == {"errors": []}

    check_refusal(tenant.request("GET", f"/v2/assets/{asset['id']}"), 404, 10004, {"asset": "Asset not found."})
    assert httpx.get(asset["asset_url"], trust_env=False).status_code == 404
    assert get_platform().images.read(f"assets/{asset['id']}/2x.png") is None
    assert tenant.call("GET", "/v2/assets") == [other]
    assert httpx.get(other["asset_url"], trust_env=False).status_code == 200


def test_deleting_what_is_not_there_is_412(tenant: Tenant) -> None:
    asset = create(tenant)
    tenant.call("DELETE", f"/v2/assets/{asset['id']}")

    for asset_id in (asset["id"], UNKNOWN, "none"):
        refused = tenant.request("DELETE", f"/v2/assets/{asset_id}")
        check_refusal(refused, 412, 10104, {"asset": "Asset not found."})


def test_an_asset_that_a_template_shows_stays(tenant: Tenant) -> None:
    asset = create(tenant)
    for number, name in ((1, "Cocacola"), (2, "Fanta")):
        get_platform().looks.create_look(
            Look(
                look_id=get_platform().new_uuid(number),
                number=number,
                project_id=tenant.project_id,
                name=name,
                description="",
                source="api",
                content=Content(lists={"style": "coupon", "icon_id": asset["id"]}),
                created_at=datetime.now(UTC),
            )
        )

    refused = tenant.request("DELETE", f"/v2/assets/{asset['id']}")

    message = "Asset in use by 2 templates, e.g.: Cocacola"
    check_refusal(refused, 412, 10103, {"asset": message})
    assert refused.json()["message"] == message
    assert httpx.get(asset["asset_url"], trust_env=False).status_code == 200


def test_another_accounts_asset_is_not_found(tenant: Tenant, stack: Stack) -> None:
    asset = create(tenant)
    stranger = stack.tenant()

    assert stranger.call("GET", "/v2/assets") == []
    check_refusal(stranger.request("GET", f"/v2/assets/{asset['id']}"), 404, 10004, {"asset": "Asset not found."})
    create(stranger)
    check_refusal(stranger.request("DELETE", f"/v2/assets/{asset['id']}"), 412, 10104, {"asset": "Asset not found."})
    assert tenant.call("GET", f"/v2/assets/{asset['id']}") == asset


@pytest.mark.parametrize("spelling", ["none", "1", UNKNOWN, "%2e%2e%2foriginal"])
def test_an_id_that_names_nothing_is_404(tenant: Tenant, spelling: str) -> None:
    answer = send(tenant, "GET", f"/v2/assets/{spelling}", headers={"Authorization": basic(tenant)})

    assert (answer.status_code, answer.json()["error_code"]) == (404, 10004)


def test_an_id_in_capitals_is_another(tenant: Tenant) -> None:
    asset_id = create(tenant)["id"].upper()

    assert tenant.request("GET", f"/v2/assets/{asset_id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", ""), ("GET", f"/{UNKNOWN}"), ("DELETE", f"/{UNKNOWN}")]
)
def test_every_route_but_the_address_needs_credentials(tenant: Tenant, method: str, path: str) -> None:
    answer = send(tenant, method, f"/v2/assets{path}")

    assert (answer.status_code, answer.json()["error_code"]) == (401, 10001)
