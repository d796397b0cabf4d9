"""Templates of the Passworks dialect: looks that campaigns share (passworks-v2, sections 3, 9 and 12)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from chalicelib.domain.content import Content
from chalicelib.domain.look_editing import create_look
from chalicelib.wiring import get_platform
from tests.contract.campaigns import UNKNOWN_IDS, add_image, make_campaign, walk
from tests.contract.expectations import UUID
from tests.contract.raw_http import basic, send
from tests.support.stack import Stack, Tenant

KEYS = [
    "id",
    "name",
    "description",
    "pass_type",
    "logo_text",
    "background_color",
    "text_color",
    "label_color",
    "barcode",
    "source",
    "icon_id",
    "logo_id",
    "strip_id",
]
IMAGES = ["icon_id", "logo_id", "strip_id", "thumbnail_id", "background_id", "footer_id"]
FORMATS = ["qrcode", "pdf417", "aztec", "ean128", "none"]


def post(tenant: Tenant, **template: Any) -> httpx.Response:
    """A create with what is required, unless the caller says otherwise."""
    if "icon_id" not in template:
        template["icon_id"] = add_image(tenant)
    body = {"template": {"name": "Cocacola", "pass_type": "coupon", **template}}
    return tenant.request("POST", "/v2/templates", json=body)


def create(tenant: Tenant, **template: Any) -> dict[str, Any]:
    response = post(tenant, **template)
    assert response.status_code == 201, response.text
    return dict(response.json())


def check_refusal(response: httpx.Response, status: int, error_code: int, errors: Mapping[str, Any]) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    assert list(body) == ["status_code", "error_code", "message", "errors"]
    assert (body["status_code"], body["error_code"], body["errors"]) == (status, error_code, dict(errors))


def stored_content(tenant: Tenant, look_id: str) -> Content:
    """What campaigns made from the template will take over."""
    (look,) = (
        each for each in get_platform().looks.list_looks(project_id=tenant.project_id) if each.look_id == look_id
    )
    return look.content


def test_a_template_answers_201_with_the_documented_object(tenant: Tenant) -> None:
    icon, logo = add_image(tenant), add_image(tenant, "logo")

    template = create(
        tenant,
        description="A drink",
        icon_id=icon,
        logo_id=logo,
        logo_text="Acme",
        background_color="#44B084",
        text_color="#fff",
        label_color="rgb(1, 2, 255)",
        foreground_color="#000000",
        barcode={"format": "pdf417", "message": "12", "alt_text": "twelve", "alt_text_type": "mirror"},
    )

    assert list(template) == KEYS
    assert UUID.fullmatch(template["id"])
    assert template == {
        "id": template["id"],
        "name": "Cocacola",
        "description": "A drink",
        "pass_type": "coupon",
        "logo_text": "Acme",
        "background_color": "#44b084",
        "text_color": "#ffffff",
        "label_color": "#0102ff",
        "barcode": {"format": "pdf417", "message": "12", "alt_text": "twelve", "alt_text_type": "mirror"},
        "source": "api",
        "icon_id": icon,
        "logo_id": logo,
        "strip_id": None,
    }
    assert tenant.call("GET", f"/v2/templates/{template['id']}") == template
    assert tenant.call("GET", "/v2/templates/") == [template]


def test_what_is_left_out_has_its_default(tenant: Tenant) -> None:
    icon = add_image(tenant)

    template = create(tenant, icon_id=icon)

    assert {key: template[key] for key in KEYS[2:]} == {
        "description": "",
        "pass_type": "coupon",
        "logo_text": "",
        "background_color": None,
        "text_color": None,
        "label_color": None,
        "barcode": {"format": "qrcode", "message": "", "alt_text": "", "alt_text_type": "mirror"},
        "source": "api",
        "icon_id": icon,
        "logo_id": None,
        "strip_id": None,
    }


@pytest.mark.parametrize("value", [None, "", []])
def test_null_and_empty_mean_the_same_as_left_out(tenant: Tenant, value: Any) -> None:
    images = {} if value == [] else {name: value for name in IMAGES if name != "icon_id"}
    template = create(tenant, barcode=[] if value == [] else None, **images)

    assert (template["logo_id"], template["strip_id"]) == (None, None)
    assert template["barcode"]["format"] == "qrcode"


def test_a_look_is_stored_as_passes_of_both_dialects_show_it(tenant: Tenant) -> None:
    images = {name: add_image(tenant, name.removesuffix("_id")) for name in IMAGES}
    template = create(
        tenant,
        pass_type="boardingPass",
        transit_type="train",
        logo_text="Acme",
        background_color="#44b084",
        text_color="#ffffff",
        label_color="#000000",
        barcode={"format": "ean128", "message": "12", "alt_text": "twelve", "alt_text_type": "text"},
        **images,
    )

    content = stored_content(tenant, template["id"])

    assert {name: entry.attributes for name, entry in content.headers.items()} == {
        "barcode_type": {"fieldType": "barcode", "formatType": 1, "value": "PKBarcodeFormatCode128"},
        "barcode_value": {"fieldType": "barcode", "formatType": 1, "value": "12"},
        "barcodeAltText": {"fieldType": "barcode", "formatType": 1, "value": "twelve"},
        "logo_text": {"fieldType": "topLevel", "formatType": 1, "value": "Acme"},
        "background_color": {"fieldType": "topLevel", "formatType": 1, "value": "#44b084"},
        "foreground_color": {"fieldType": "topLevel", "formatType": 1, "value": "#ffffff"},
        "label_color": {"fieldType": "topLevel", "formatType": 1, "value": "#000000"},
    }
    assert content.lists == {
        "style": "boardingPass",
        "transit_type": "train",
        "alt_text_type": "text",
        **images,
    }


@pytest.mark.parametrize("format_", FORMATS)
def test_every_barcode_format_comes_back(tenant: Tenant, format_: str) -> None:
    template = create(tenant, barcode={"format": format_})

    assert template["barcode"] == {"format": format_, "message": "", "alt_text": "", "alt_text_type": "mirror"}


@pytest.mark.parametrize("pass_type", ["boardingPass", "coupon", "eventTicket", "storeCard", "generic"])
def test_every_pass_type_is_taken(tenant: Tenant, pass_type: str) -> None:
    assert create(tenant, pass_type=pass_type, transit_type="air")["pass_type"] == pass_type


@pytest.mark.parametrize(
    ("template", "errors"),
    [
        ({"name": None}, {"name": ["can't be blank"]}),
        ({"name": " "}, {"name": ["can't be blank"]}),
        ({"name": "x" * 256}, {"name": ["has 256 characters, the limit is 255"]}),
        ({"description": "x" * 4001}, {"description": ["has 4001 characters, the limit is 4000"]}),
        ({"pass_type": ""}, {"pass_type": ["can't be blank"]}),
        (
            {"pass_type": "coupons"},
            {"pass_type": ["must be one of boardingPass, coupon, eventTicket, generic, storeCard"]},
        ),
        ({"icon_id": None}, {"icon_id": ["can't be blank"]}),
        ({"icon_id": ""}, {"icon_id": ["can't be blank"]}),
        ({"icon_id": UNKNOWN_IDS[0]}, {"icon_id": ["is not an asset of this account"]}),
        ({"logo_id": "nothing"}, {"logo_id": ["is not an asset of this account"]}),
        ({"pass_type": "boardingPass"}, {"transit_type": ["can't be blank"]}),
        (
            {"pass_type": "boardingPass", "transit_type": "horse"},
            {"transit_type": ["must be one of air, boat, train, bus, generic"]},
        ),
        ({"background_color": "red"}, {"background_color": ["must be a colour such as #44b084"]}),
        ({"text_color": "rgb(256,0,0)"}, {"text_color": ["must be a colour such as #44b084"]}),
        ({"label_color": 5}, {"label_color": ["must be a colour such as #44b084"]}),
        ({"barcode": {"format": "ean13"}}, {"barcode.format": [f"must be one of {', '.join(FORMATS)}"]}),
        ({"barcode": {"message": {}}}, {"barcode.message": ["must be a string"]}),
        (
            {"pass_type": "eventTicket", "strip_id": UNKNOWN_IDS[0], "background_id": UNKNOWN_IDS[0]},
            {"background_id": ["can't be used together with strip_id"]},
        ),
    ],
)
def test_a_value_of_no_use_is_422_under_its_key(
    tenant: Tenant, template: dict[str, Any], errors: dict[str, Any]
) -> None:
    check_refusal(post(tenant, **template), 422, 10100, errors)
    assert tenant.call("GET", "/v2/templates") == []


@pytest.mark.parametrize("left_out", ["name", "pass_type", "icon_id"])
def test_what_is_required_is_named_when_it_is_left_out(tenant: Tenant, left_out: str) -> None:
    template = {"name": "Cocacola", "pass_type": "coupon", "icon_id": add_image(tenant)}
    del template[left_out]

    answer = tenant.request("POST", "/v2/templates", json={"template": template})

    check_refusal(answer, 422, 10100, {left_out: ["can't be blank"]})


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"name":"Cocacola"}'])
def test_a_missing_root_key_is_422(tenant: Tenant, body: str) -> None:
    answer = tenant.request("POST", "/v2/templates", content=body, headers={"Content-Type": "application/json"})

    check_refusal(answer, 422, 10100, {"template": ["is missing"]})


def test_a_name_is_unique_in_the_account_until_its_template_goes(tenant: Tenant, stack: Stack) -> None:
    template = create(tenant)

    check_refusal(post(tenant), 422, 10100, {"name": ["is taken"]})
    create(tenant, name="cocacola")
    create(stack.tenant())
    tenant.call("DELETE", f"/v2/templates/{template['id']}")
    create(tenant)


def test_an_asset_of_another_account_is_refused(tenant: Tenant, stack: Stack) -> None:
    foreign = add_image(stack.tenant())
    add_image(tenant)

    check_refusal(post(tenant, icon_id=foreign), 422, 10100, {"icon_id": ["is not an asset of this account"]})


def test_the_list_is_paged_and_the_oldest_comes_first(tenant: Tenant) -> None:
    created = [create(tenant, name=f"Look {number}") for number in (3, 1, 2, 5, 4)]

    assert tenant.call("GET", "/v2/templates") == created
    assert list(walk(tenant, "/v2/templates?per_page=2")) == [created[:2], created[2:4], created[4:]]
    answer = tenant.request("GET", "/v2/templates?per_page=2&page=2&offset=1")
    assert answer.json() == created[3:]
    found = {name: answer.headers[name] for name in answer.headers if name.startswith("x-")}
    assert found == {
        "x-total": "5",
        "x-total-pages": "2",
        "x-page": "2",
        "x-per-page": "2",
        "x-prev-page": "1",
        "x-offset": "1",
    }


def test_the_look_of_a_campaign_says_where_it_comes_from(tenant: Tenant) -> None:
    content = Content(lists={"style": "coupon", "icon_id": add_image(tenant)})
    create_look(
        get_platform(),
        project_id=tenant.project_id,
        name="Template for Summer",
        description="",
        content=content,
        source="campaign",
    )

    (template,) = tenant.call("GET", "/v2/templates")

    assert (template["name"], template["source"]) == ("Template for Summer", "campaign")


def test_deleting_leaves_the_assets(tenant: Tenant) -> None:
    template = create(tenant)

    assert tenant.call("DELETE", f"/v2/templates/{template['id']}/") == {"errors": []}

    check_refusal(
        tenant.request("GET", f"/v2/templates/{template['id']}"), 404, 10004, {"template": "Template not found."}
    )
    assert asset_exists(tenant, template["icon_id"])


def asset_exists(tenant: Tenant, asset_id: str) -> bool:
    return asset_id in {asset.asset_id for asset in get_platform().assets.list_assets(project_id=tenant.project_id)}


def delete(tenant: Tenant, look_id: str, body: str | None) -> httpx.Response:
    headers = {"Authorization": basic(tenant), "Content-Type": "application/json"}
    answer = send(tenant, "DELETE", f"/v2/templates/{look_id}", headers=headers, body=body)
    return httpx.Response(answer.status_code, content=answer.content)


@pytest.mark.parametrize(
    ("body", "are_gone"),
    [
        (None, False),
        ("{}", False),
        ("null", False),
        ("[]", False),
        ('{"template":[]}', False),
        ('{"template":null}', False),
        ('{"pass":{}}', False),
        ('{"template":{"delete_assets":null}}', False),
        ('{"template":{"delete_assets":false}}', False),
        ('{"template":{"delete_assets":"false"}}', False),
        ('{"template":{"delete_assets":true}}', True),
        ('{"template":{"delete_assets":"true"}}', True),
    ],
)
def test_the_assets_go_only_when_the_body_says_so(tenant: Tenant, body: str | None, are_gone: bool) -> None:
    template = create(tenant, logo_id=add_image(tenant, "logo"))

    answer = delete(tenant, template["id"], body)

    assert (answer.status_code, answer.json()) == (200, {"errors": []})
    assert [asset_exists(tenant, template[name]) for name in ("icon_id", "logo_id")] == [not are_gone] * 2


def test_the_assets_stay_if_one_of_them_belongs_to_another_template(tenant: Tenant) -> None:
    template = create(tenant, logo_id=add_image(tenant, "logo"))
    create(tenant, name="Fanta", icon_id=template["icon_id"])

    assert delete(tenant, template["id"], '{"template":{"delete_assets":true}}').status_code == 200

    assert asset_exists(tenant, template["icon_id"])
    assert asset_exists(tenant, template["logo_id"])


@pytest.mark.parametrize(
    ("body", "status", "errors"),
    [
        ('{"template":{"delete_assets":"perhaps"}}', 422, ["delete_assets"]),
        ('{"template":5}', 422, ["template"]),
        ('{"template":', 400, []),
    ],
)
def test_a_body_that_cannot_be_read_deletes_nothing(tenant: Tenant, body: str, status: int, errors: list[str]) -> None:
    template = create(tenant)

    answer = delete(tenant, template["id"], body)

    assert (answer.status_code, list(answer.json()["errors"])) == (status, errors)
    assert tenant.call("GET", "/v2/templates") == [template]


def test_deleting_what_is_not_there_is_412(tenant: Tenant, stack: Stack) -> None:
    template, foreign = create(tenant), create(stack.tenant())
    tenant.call("DELETE", f"/v2/templates/{template['id']}")

    for look_id in (template["id"], foreign["id"], *UNKNOWN_IDS):
        answer = tenant.request("DELETE", f"/v2/templates/{look_id}")
        check_refusal(answer, 412, 10104, {"template": "Template not found."})
        assert answer.json()["message"] == "Template not found."


def test_a_template_that_a_campaign_uses_stays(tenant: Tenant) -> None:
    template = create(tenant)
    before = make_campaign(tenant).template
    options = replace(before.campaign, look_id=template["id"])
    after = replace(before, campaign=options, revision=before.revision + 1)
    get_platform().templates.update_template(before=before, after=after)

    answer = tenant.request("DELETE", f"/v2/templates/{template['id']}", json={"template": {"delete_assets": True}})

    message = "Template in use by 1 campaigns, e.g.: Card"
    check_refusal(answer, 412, 10103, {"template": message})
    assert answer.json()["message"] == message
    assert tenant.call("GET", "/v2/templates") == [template]
    assert asset_exists(tenant, template["icon_id"])


def test_another_accounts_template_is_404(tenant: Tenant, stack: Stack) -> None:
    foreign = create(stack.tenant())
    own = create(tenant)

    check_refusal(
        tenant.request("GET", f"/v2/templates/{foreign['id']}"), 404, 10004, {"template": "Template not found."}
    )
    assert tenant.call("GET", "/v2/templates") == [own]


@pytest.mark.parametrize("unknown", UNKNOWN_IDS)
def test_an_id_that_names_nothing_is_404(tenant: Tenant, unknown: str) -> None:
    create(tenant)

    assert tenant.request("GET", f"/v2/templates/{unknown}").status_code == 404


def test_a_body_of_php_and_of_no_type_is_read(tenant: Tenant) -> None:
    body = json.dumps({"template": {"name": "Cocacola", "pass_type": "coupon", "icon_id": add_image(tenant)}})

    answer = send(tenant, "POST", "/v2/templates/", headers={"Authorization": basic(tenant)}, body=body)

    assert answer.status_code == 201
