"""Answers of the Passworks dialect (passworks-v2, sections 2, 3 and 6 to 10)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chalicelib.schemas import passworks_examples as examples
from chalicelib.schemas.answers import Answer, Count, Milliseconds, Seconds, Url, Uuid

CampaignType = Literal["boarding_passes", "coupons", "event_tickets", "generics", "store_cards"]
AssetTypes = Literal["icon", "logo", "strip", "thumbnail", "background", "footer"]
Colour = Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]
Expiration = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}[+-][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$",
        examples=["2016-08-09T14:30:54.000+00:00"],
    ),
]


def _example(*examples: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", defer_build=True, json_schema_extra={"examples": list(examples)})


class PassworksError(Answer):
    """Why a request is refused. `errors` is an object in every refusal."""

    model_config = _example(
        {
            "status_code": 422,
            "error_code": 10100,
            "message": "Validation failed",
            "errors": {"name": ["can't be blank"]},
        }
    )

    status_code: int = Field(description="The HTTP status.")
    error_code: int = Field(
        description=(
            "10000 bad request, 10001 credentials, 10004 not found, 10005 method, 10100 validation, 10101 filter or"
            " order, 10102 state change, 10103 in use, 10104 delete of something unknown, 10105 redeem refused,"
            " 10500 server."
        )
    )
    message: str
    errors: dict[str, str | list[str]] = Field(description="By attribute: what is wrong with it.")


class Pong(Answer):
    """The service answers."""

    model_config = _example({"message": "pong"})

    message: Literal["pong"]


class Message(Answer):
    """What was started."""

    model_config = _example({"message": "Started merging 1 passes for campaign 'Paw Planet - Helloworld'."})

    message: str


class Deleted(Answer):
    """It is deleted."""

    model_config = _example({"errors": []})

    errors: Annotated[list[Any], Field(max_length=0)]


class AssetObject(Answer):
    """An image."""

    model_config = _example(
        {
            "id": "b9836df9-0f8e-4cbb-9f0b-6a2e0c6c11f0",
            "asset_type": "icon",
            "created_at": "2016-12-19T16:01:46Z",
            "asset_url": "https://passel.example/uploads/asset/b9836df9-0f8e-4cbb-9f0b-6a2e0c6c11f0/original.png",
        }
    )

    id: Uuid
    asset_type: AssetTypes
    created_at: Seconds
    asset_url: Url


class CertificateObject(Answer):
    """What signs passes."""

    model_config = _example(examples.CERTIFICATE)

    id: Uuid
    team_identifier: str
    pass_type_identifier: str
    issued_to: str
    expires_at: Seconds


class BarcodeObject(Answer):
    """A barcode."""

    format: Literal["qrcode", "pdf417", "aztec", "ean128", "none"]
    message: str
    alt_text: str
    alt_text_type: str


class LookObject(Answer):
    """A template: the look of campaigns."""

    model_config = _example(examples.LOOK)

    id: Uuid
    name: str
    description: str
    pass_type: Literal["boardingPass", "coupon", "eventTicket", "storeCard", "generic"]
    logo_text: str
    background_color: Colour | None
    text_color: Colour | None
    label_color: Colour | None
    barcode: BarcodeObject
    source: Literal["api", "campaign"] = Field(
        description="`campaign` for one that was made together with its campaign."
    )
    icon_id: str | None
    logo_id: str | None
    strip_id: str | None


class PassField(Answer):
    """A field of a pass."""

    key: str
    value: str | float | bool | None
    label: str | float | bool | None
    behaviour: str = Field(description="`fixed` or `dynamic`.")


class CampaignField(PassField):
    """A field of a campaign."""

    data_type: Literal["text"]
    required: Literal[True]


class CampaignLocation(Answer):
    """A place near which a wallet shows the pass."""

    latitude: float
    longitude: float
    altitude: float | None
    relevant_text: str | None


class PassLocation(CampaignLocation):
    """A place near which a wallet shows the pass."""

    name: str | None


class BeaconObject(Answer):
    """A Bluetooth beacon near which a wallet shows the pass. Beacons of the other dialect are free in form."""

    major: Any
    minor: Any
    proximity_uuid: Any
    relevant_text: Any


class _Addresses(Answer):
    page_url: Url
    pkpass_url: Url
    preview_url: Url
    page_short_url: Url
    pkpass_short_url: Url
    preview_short_url: Url


class DistributionObject(_Addresses):
    """Where people find a campaign."""

    id: Uuid
    distribution_type: Literal["downloadPage"]
    state: Literal["published"]
    created_at: Milliseconds
    updated_at: Milliseconds
    published_at: Milliseconds


class _Content(_Addresses):
    barcode: BarcodeObject
    barcodes: list[BarcodeObject]
    beacons: list[BeaconObject]
    thumbnail_id: str | None
    max_distance: float | None
    relevant_date: str | None
    expiration_date: Expiration | None
    user_info: dict[str, Any]
    gwallet_usage: bool | None
    gwallet_status: None
    gwallet_message: None
    created_at: Seconds
    updated_at: Seconds


class CampaignObject(_Content):
    """A campaign."""

    model_config = _example(examples.CAMPAIGN)

    id: Uuid
    name: str
    description: str
    campaign_type: CampaignType
    state: Literal["published", "paused", "archived"]
    template_id: str | None
    certificate_id: str | None
    organization_name: str | None
    logo_text: str
    background_color: Colour | None
    text_color: Colour | None
    label_color: Colour | None
    icon_id: str | None
    logo_id: str | None
    strip_id: str | None
    background_id: str | None
    footer_id: str | None
    transit_type: str | None
    allow_multiple_redeems: bool
    header_fields: list[CampaignField]
    primary_fields: list[CampaignField]
    secondary_fields: list[CampaignField]
    auxiliary_fields: list[CampaignField]
    back_fields: list[CampaignField]
    locations: list[CampaignLocation]
    associated_store_identifiers: list[int]
    sync_locations_on_merge: bool
    sync_beacons_on_merge: bool
    code_type: Literal["sequencial", "fixed", "list", "per_pass"]
    code_fixed_value: str | None
    render_on_short_url: Literal[False]
    redeem_count: Count
    remote_form_url: None
    og: bool
    og_description: str
    javascript: str | None
    stylesheet: str | None
    distributions: list[DistributionObject]


class PassObject(_Content):
    """A pass of a campaign."""

    model_config = _example(examples.PASS)

    id: Uuid
    campaign_id: Uuid
    voided: bool = Field(description="No longer redeemable.")
    serial_number: Uuid = Field(description="Equal to `id`.")
    redeem_code: str
    redeemed_count: Count
    redeemed_at: Seconds | None
    header_fields: list[PassField]
    primary_fields: list[PassField]
    secondary_fields: list[PassField]
    auxiliary_fields: list[PassField]
    back_fields: list[PassField]
    locations: list[PassLocation]


class RegistrationObject(Answer):
    """One pass that is in one wallet on one device now."""

    model_config = _example(
        {
            "id": "ed2951b4-1127-4a96-a2b1-8a73adb4b2db",
            "pass_id": "22d5b0ed-cc82-4743-a4fb-ee655d928037",
            "wallet": "passbook",
            "device_os": "ios",
            "created_at": "2016-11-09T11:09:00.745Z",
        }
    )

    id: Uuid
    pass_id: Uuid
    wallet: Literal["passbook", "google_wallet", "wallet_passes", "pass2u", "passwallet", "passworks_wallet"]
    device_os: Literal["ios", "android"]
    created_at: Milliseconds


class RedeemObject(Answer):
    """A pass was redeemed."""

    model_config = _example(examples.REDEEM)

    id: Uuid
    pass_id: Uuid
    redeem_code: str
    comment: str | None
    created_at: Milliseconds


class _Counts(Answer):
    installs_count: Count
    uninstalls_count: Count
    redeems_count: Count
    fetches_count: Count
    downloads_count: Count
    views_count: Count
    creates_count: Count
    expires_count: Count
    pushes_count: Count
    updates_count: Count
    webhooks_count: Count
    api_calls_count: Count
    distribution_updates_count: Count
    active_count: int = Field(description="Installs without uninstalls.")
    removed_count: Count


class SystemCounts(Answer):
    """By operating system; `wp` is Windows Phone."""

    ios: Count
    android: Count
    wp: Count


class DayCounts(_Counts):
    """What happened on one day."""

    i: SystemCounts = Field(description="Installs.")
    u: SystemCounts = Field(description="Uninstalls.")


class InstallCounts(Answer):
    """Of one operating system."""

    installs_count: Count
    uninstalls_count: Count


class TotalCounts(_Counts):
    """What has happened."""

    apple: InstallCounts
    android: InstallCounts


Date = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2016-06-29"])]


class ReportByDay(Answer):
    """What happened to a campaign's passes, by day."""

    model_config = _example(examples.REPORT)

    campaign_id: Uuid
    start_date: Date
    end_date: Date
    report: dict[Date, DayCounts]


class ReportTotals(Answer):
    """What has happened to a campaign's passes."""

    model_config = _example(examples.TOTALS)

    campaign_id: Uuid
    report: TotalCounts
