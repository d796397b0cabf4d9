"""Examples of answers of the Passworks dialect, after passworks-v2, sections 6, 8, 10 and 11."""

from __future__ import annotations

from typing import Any, Final

Example = dict[str, Any]

_CAMPAIGN_ID: Final = "4e0551fb-6b1e-4c0b-8a54-0000000003e8"
_PASS_ID: Final = "1be36452-51d2-4a5e-9d0f-0000000003e9"
_ASSET_ID: Final = "b9836df9-0f8e-4cbb-9f0b-000000000001"
_LOOK_ID: Final = "5d492013-9d0b-4c53-8a6b-000000000001"
_OFFER: Final[Example] = {
    "key": "offer",
    "value": "20% off",
    "label": "Any premium dog food",
    "behaviour": "fixed",
}
_NO_FIELDS: Final[Example] = {
    name: [] for name in ("header_fields", "secondary_fields", "auxiliary_fields", "back_fields")
}


def _barcode(text: str) -> Example:
    return {"format": "qrcode", "message": text, "alt_text": text, "alt_text_type": "mirror"}


def _addresses(page: str) -> Example:
    url = f"https://passel.example/p/{page}"
    own = {"page": url, "pkpass": f"{url}.pkpass", "preview": f"{url}.png?updated_at=1482165993"}
    return {f"{name}_url": value for name, value in own.items()} | {
        f"{name}_short_url": value for name, value in own.items()
    }


_CONTENT: Final[Example] = {
    **_NO_FIELDS,
    "locations": [],
    "beacons": [],
    "thumbnail_id": None,
    "max_distance": None,
    "relevant_date": None,
    "expiration_date": None,
    "gwallet_status": None,
    "gwallet_message": None,
}

CAMPAIGN: Final[Example] = {
    "id": _CAMPAIGN_ID,
    "name": "Paw Planet - Helloworld",
    "description": "Paw Planet - Helloworld",
    "campaign_type": "coupons",
    "state": "published",
    "template_id": _LOOK_ID,
    "certificate_id": "325cbf09-7a3b-4b0e-9d59-2f6a5b7c1e83",
    "organization_name": "Luis",
    "gwallet_usage": None,
    "logo_text": "",
    "background_color": "#44b084",
    "text_color": None,
    "label_color": None,
    "icon_id": _ASSET_ID,
    **dict.fromkeys(("logo_id", "strip_id", "background_id", "footer_id", "transit_type")),
    "barcode": _barcode(""),
    "barcodes": [],
    "allow_multiple_redeems": False,
    **_CONTENT,
    "primary_fields": [_OFFER | {"data_type": "text", "required": True}],
    "associated_store_identifiers": [],
    "sync_locations_on_merge": True,
    "sync_beacons_on_merge": True,
    "code_type": "sequencial",
    "code_fixed_value": None,
    "render_on_short_url": False,
    "redeem_count": 0,
    "remote_form_url": None,
    "og": True,
    "og_description": "",
    "javascript": None,
    "stylesheet": None,
    "user_info": {},
    "created_at": "2016-12-19T16:46:32Z",
    "updated_at": "2016-12-19T16:46:33Z",
    "distributions": [
        {
            "id": "49fe764c-7a3b-5b0e-9d59-2f6a5b7c1e83",
            "distribution_type": "downloadPage",
            "state": "published",
            **_addresses("1-3e8-x"),
            "created_at": "2016-12-19T16:46:32.156Z",
            "updated_at": "2016-12-19T16:46:33.273Z",
            "published_at": "2016-12-19T16:46:32.156Z",
        }
    ],
    **_addresses("1-3e8-x"),
}

PASS: Final[Example] = {
    "id": _PASS_ID,
    "campaign_id": _CAMPAIGN_ID,
    "voided": False,
    "serial_number": _PASS_ID,
    "redeem_code": "00000001",
    "redeemed_count": 0,
    "redeemed_at": None,
    "barcode": _barcode("00000001"),
    "barcodes": [_barcode("00000001")],
    **_CONTENT,
    "primary_fields": [_OFFER],
    "user_info": {"email": "luis@example.com"},
    **_addresses("1-3e8-x/1001-y"),
    "gwallet_usage": False,
    "created_at": "2016-12-19T16:56:57Z",
    "updated_at": "2016-12-19T16:56:57Z",
}

LOOK: Final[Example] = {
    "id": _LOOK_ID,
    "name": "Template for Paw Planet - Helloworld",
    "description": "",
    "pass_type": "coupon",
    "logo_text": "",
    "background_color": "#44b084",
    "text_color": "#ffffff",
    "label_color": "#ffffff",
    "barcode": _barcode(""),
    "source": "api",
    "icon_id": _ASSET_ID,
    "logo_id": None,
    "strip_id": None,
}

CERTIFICATE: Final[Example] = {
    "id": "325cbf09-7a3b-4b0e-9d59-2f6a5b7c1e83",
    "team_identifier": "A1B2C3D4E5",
    "pass_type_identifier": "pass.com.example.loyalty",
    "issued_to": "Pass Type ID: pass.com.example.loyalty",
    "expires_at": "2027-08-09T14:30:54Z",
}

REDEEM: Final[Example] = {
    "id": "0d1f6c3a-7a3b-4b0e-9d59-000000000001",
    "pass_id": _PASS_ID,
    "redeem_code": "00000001",
    "comment": "At the till",
    "created_at": "2016-12-20T09:12:03.120Z",
}

_COUNTS: Final[Example] = {
    **dict.fromkeys(
        ("installs_count", "uninstalls_count", "redeems_count", "fetches_count", "downloads_count", "views_count"), 0
    ),
    **dict.fromkeys(("expires_count", "pushes_count", "updates_count", "webhooks_count", "api_calls_count"), 0),
    "creates_count": 1,
    "distribution_updates_count": 0,
    "active_count": 0,
    "removed_count": 0,
}
_SYSTEMS: Final[Example] = {"ios": 0, "android": 0, "wp": 0}

REPORT: Final[Example] = {
    "campaign_id": _CAMPAIGN_ID,
    "start_date": "2016-06-28",
    "end_date": "2016-06-28",
    "report": {"2016-06-28": {**_COUNTS, "i": _SYSTEMS, "u": _SYSTEMS}},
}

TOTALS: Final[Example] = {
    "campaign_id": _CAMPAIGN_ID,
    "report": {
        **_COUNTS,
        "apple": {"installs_count": 0, "uninstalls_count": 0},
        "android": {"installs_count": 0, "uninstalls_count": 0},
    },
}

_EVENT: Final[Example] = {
    "context": "pass",
    "campaign_id": _CAMPAIGN_ID,
    "distribution_id": "49fe764c-7a3b-5b0e-9d59-2f6a5b7c1e83",
    "pass_id": _PASS_ID,
    "voided": False,
    "serial_number": _PASS_ID,
    "redeemed_count": 0,
    "redeemed_at": None,
    "created_at": "2016-08-10T11:29:08Z",
    "updated_at": "2016-08-10T11:29:09Z",
    "last_fetched_at": None,
    "event_at": "2016-08-10T11:30:06Z",
    "metadata": {},
}

CREATED_EVENT: Final[Example] = {"event": "created", **_EVENT, "event_extra": {}}
INSTALLED_EVENT: Final[Example] = {
    "event": "installed",
    **_EVENT,
    "event_extra": {
        "pass_id": _PASS_ID,
        "registration_id": "ed2951b4-1127-4a96-a2b1-8a73adb4b2db",
        "device_os": "ios",
        "device_app_vendor": "passbook",
        "wallet_type": "apple_wallet",
        "ip": "192.168.1.206",
    },
}
