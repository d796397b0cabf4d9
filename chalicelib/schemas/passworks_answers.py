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
            " 10106 `If-Match` does not hold, 10107 `Idempotency-Key` in use, 10429 rate limit, 10500 server."
        )
    )
    message: str = Field(description="What is wrong.")
    errors: dict[str, str | list[str]] = Field(description="By attribute: what is wrong with it.")


class Pong(Answer):
    """The service answers."""

    model_config = _example({"message": "pong"})

    message: Literal["pong"] = Field(description="Always `pong`.")


class Message(Answer):
    """What was started."""

    model_config = _example({"message": "Started merging 1 passes for campaign 'Paw Planet - Helloworld'."})

    message: str = Field(description="A sentence for people.")


class Deleted(Answer):
    """It is deleted."""

    model_config = _example({"errors": []})

    errors: Annotated[list[Any], Field(max_length=0)] = Field(description="Always empty.")


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

    id: Uuid = Field(description="The asset's id.")
    asset_type: AssetTypes = Field(description="What the image is for.")
    created_at: Seconds = Field(description="When it was uploaded.")
    asset_url: Url = Field(description="Where the image is, without credentials.")


class CertificateObject(Answer):
    """What signs passes."""

    model_config = _example(examples.CERTIFICATE)

    id: Uuid = Field(description="The certificate's id; a renewed one keeps it.")
    team_identifier: str = Field(description="Apple's identifier of the team.")
    pass_type_identifier: str = Field(description="Apple's identifier of the pass type.")
    issued_to: str = Field(description="The common name of its subject; without one, the pass type.")
    expires_at: Seconds = Field(description="When it ends.")


class BarcodeObject(Answer):
    """A barcode."""

    format: Literal["qrcode", "pdf417", "aztec", "ean128", "none"] = Field(
        description="The kind of code; `none` shows none."
    )
    message: str = Field(description="What the code says.")
    alt_text: str = Field(description="What stands below the code.")
    alt_text_type: str = Field(description="`mirror` shows the message where there is no `alt_text`.")


class LookObject(Answer):
    """A template: the look of campaigns."""

    model_config = _example(examples.LOOK)

    id: Uuid = Field(description="The template's id.")
    name: str = Field(description="The template's name.")
    description: str = Field(description="What was written with it.")
    pass_type: Literal["boardingPass", "coupon", "eventTicket", "storeCard", "generic"] = Field(
        description="The style of the passes, in Apple's words."
    )
    logo_text: str = Field(description="What stands beside the logo.")
    background_color: Colour | None = Field(description="The colour of the front.")
    text_color: Colour | None = Field(description="The colour of values.")
    label_color: Colour | None = Field(description="The colour of labels.")
    barcode: BarcodeObject
    source: Literal["api", "campaign"] = Field(
        description="`campaign` for one that was made together with its campaign."
    )
    icon_id: str | None = Field(description="The asset that notifications show.")
    logo_id: str | None = Field(description="The asset in the top left corner.")
    strip_id: str | None = Field(description="The asset behind the primary fields.")


class PassField(Answer):
    """A field of a pass."""

    key: str = Field(description="What names the field.")
    value: str | float | bool | None = Field(description="What the pass shows.")
    label: str | float | bool | None = Field(description="What stands beside the value.")
    behaviour: str = Field(description="`fixed` or `dynamic`.")


class CampaignField(PassField):
    """A field of a campaign."""

    data_type: Literal["text"] = Field(description="Always `text`.")
    required: Literal[True] = Field(description="Always true.")


class CampaignLocation(Answer):
    """A place near which a wallet shows the pass."""

    latitude: float = Field(description="Degrees, north of the equator.")
    longitude: float = Field(description="Degrees, east of Greenwich.")
    altitude: float | None = Field(description="In metres.")
    relevant_text: str | None = Field(description="What a wallet shows there.")


class PassLocation(CampaignLocation):
    """A place near which a wallet shows the pass."""

    name: str | None = Field(description="What the caller calls the place.")


class BeaconObject(Answer):
    """A Bluetooth beacon near which a wallet shows the pass. Beacons of the other dialect are free in form."""

    major: Any = Field(description="Tells groups of beacons with one identifier apart.")
    minor: Any = Field(description="Tells beacons of one group apart.")
    proximity_uuid: Any = Field(description="The beacon's identifier.")
    relevant_text: Any = Field(description="What a wallet shows there.")


class _Addresses(Answer):
    page_url: Url = Field(description="The page for people.")
    pkpass_url: Url = Field(description="The pass itself; in a browser on Android a page of wallets.")
    preview_url: Url = Field(description="A picture.")
    page_short_url: Url = Field(description="Equal to `page_url`.")
    pkpass_short_url: Url = Field(description="Equal to `pkpass_url`.")
    preview_short_url: Url = Field(description="Equal to `preview_url`.")


class DistributionObject(_Addresses):
    """Where people find a campaign."""

    id: Uuid = Field(description="Names the distribution in events.")
    distribution_type: Literal["downloadPage"] = Field(description="Always `downloadPage`.")
    state: Literal["published"] = Field(description="Always `published`.")
    created_at: Milliseconds = Field(description="When the campaign was created.")
    updated_at: Milliseconds = Field(description="When the campaign changed last.")
    published_at: Milliseconds = Field(description="When the campaign was created.")


class _Content(_Addresses):
    barcode: BarcodeObject
    barcodes: list[BarcodeObject] = Field(description="Further codes. Of a pass that has none, its barcode.")
    beacons: list[BeaconObject] = Field(description="Bluetooth beacons near which a wallet shows the pass.")
    thumbnail_id: str | None = Field(description="The asset beside the fields.")
    max_distance: float | None = Field(description="How near a location the pass is of interest, in metres.")
    relevant_date: str | None = Field(description="When the pass is of interest.")
    expiration_date: Expiration | None = Field(description="When the pass ends.")
    user_info: dict[str, Any] = Field(description="What the caller keeps with it.")
    gwallet_usage: bool | None = Field(description="What the campaign says; of a pass false where it says nothing.")
    gwallet_status: None = Field(
        description="Always null: passes are brought to Google Wallet when somebody saves one."
    )
    gwallet_message: None = Field(description="Always null.")
    created_at: Seconds = Field(description="When it was created.")
    updated_at: Seconds = Field(description="When it changed last.")


class CampaignObject(_Content):
    """A campaign."""

    model_config = _example(examples.CAMPAIGN)

    id: Uuid = Field(description="The campaign's id.")
    name: str = Field(description="Unique among the account's campaigns.")
    description: str = Field(description="What passes say of themselves to those who cannot see them.")
    campaign_type: CampaignType = Field(description="The type in the campaign's path.")
    state: Literal["published", "paused", "archived"] = Field(
        description="Passes are issued only while it is `published`."
    )
    template_id: str | None = Field(description="The template that the campaign looks like.")
    certificate_id: str | None = Field(description="What signs the passes.")
    organization_name: str | None = Field(description="Who issues the passes.")
    logo_text: str = Field(description="What stands beside the logo.")
    background_color: Colour | None = Field(description="The colour of the front.")
    text_color: Colour | None = Field(description="The colour of values.")
    label_color: Colour | None = Field(description="The colour of labels.")
    icon_id: str | None = Field(description="The asset that notifications show.")
    logo_id: str | None = Field(description="The asset in the top left corner.")
    strip_id: str | None = Field(description="The asset behind the primary fields.")
    background_id: str | None = Field(description="The asset behind the whole front.")
    footer_id: str | None = Field(description="The asset above the barcode.")
    transit_type: str | None = Field(description="Of boarding passes: air, boat, train, bus or generic.")
    allow_multiple_redeems: bool = Field(
        description="Whether a pass can be redeemed again and again; otherwise its first redeem voids it."
    )
    header_fields: list[CampaignField] = Field(description="Fields beside the logo.")
    primary_fields: list[CampaignField] = Field(description="The most prominent fields.")
    secondary_fields: list[CampaignField] = Field(description="Fields below the primary ones.")
    auxiliary_fields: list[CampaignField] = Field(description="Fields beside or below the secondary ones.")
    back_fields: list[CampaignField] = Field(description="Fields on the back.")
    locations: list[CampaignLocation] = Field(description="Places near which a wallet shows passes.")
    associated_store_identifiers: list[int] = Field(description="App Store ids of apps that go with the passes.")
    sync_locations_on_merge: bool = Field(
        description="Whether a merge replaces the locations of every pass with these, even by none."
    )
    sync_beacons_on_merge: bool = Field(
        description="Whether a merge replaces the beacons of every pass with these, even by none."
    )
    code_type: Literal["sequencial", "fixed", "list", "per_pass"] = Field(
        description="Where redeem codes come from: counted up, `fixed` in every barcode, or the caller's (`per_pass`)."
    )
    code_fixed_value: str | None = Field(description="With `code_type` `fixed`: the message of every barcode.")
    render_on_short_url: Literal[False] = Field(description="Always false.")
    redeem_count: Count = Field(description="How many redeems of its passes there were.")
    remote_form_url: None = Field(description="Always null.")
    og: bool = Field(description="Whether pages say, in Open Graph's words, what others may show of a link to them.")
    og_description: str = Field(
        description="What others show below a link to a page; where it is empty, the name of the organization."
    )
    javascript: str | None = Field(description="As it was written; it is never run.")
    stylesheet: str | None = Field(description="As it was written; no page uses it.")
    distributions: list[DistributionObject] = Field(description="Always one.")


class PassObject(_Content):
    """A pass of a campaign."""

    model_config = _example(examples.PASS)

    id: Uuid = Field(description="The pass's id.")
    campaign_id: Uuid = Field(description="The campaign's id.")
    voided: bool = Field(description="No longer redeemable.")
    serial_number: Uuid = Field(description="Equal to `id`.")
    redeem_code: str = Field(
        description="What the pass is redeemed by; unique in its campaign, unless callers gave it to several passes."
    )
    redeemed_count: Count = Field(description="How often it was redeemed.")
    redeemed_at: Seconds | None = Field(description="When it was redeemed last.")
    header_fields: list[PassField] = Field(description="Fields beside the logo.")
    primary_fields: list[PassField] = Field(description="The most prominent fields.")
    secondary_fields: list[PassField] = Field(description="Fields below the primary ones.")
    auxiliary_fields: list[PassField] = Field(description="Fields beside or below the secondary ones.")
    back_fields: list[PassField] = Field(description="Fields on the back.")
    locations: list[PassLocation] = Field(description="Places near which a wallet shows the pass.")


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

    id: Uuid = Field(description="The registration's id.")
    pass_id: Uuid = Field(description="The pass's id.")
    wallet: Literal["passbook", "google_wallet", "wallet_passes", "pass2u", "passwallet", "passworks_wallet"] = Field(
        description="Which wallet it is; `passbook` is Apple's."
    )
    device_os: Literal["ios", "android"] = Field(description="What the device runs.")
    created_at: Milliseconds = Field(description="When the wallet took the pass.")


class RedeemObject(Answer):
    """A pass was redeemed."""

    model_config = _example(examples.REDEEM)

    id: Uuid = Field(description="The redeem's id.")
    pass_id: Uuid = Field(description="The pass's id.")
    redeem_code: str = Field(description="The code that the pass has.")
    comment: str | None = Field(description="What was said of the redeem.")
    created_at: Milliseconds = Field(description="When the pass was redeemed.")


class _Counts(Answer):
    installs_count: Count = Field(description="Registrations that began: a wallet took a pass.")
    uninstalls_count: Count = Field(description="Registrations that ended: a wallet gave a pass up.")
    redeems_count: Count = Field(description="Redeems.")
    fetches_count: Count = Field(description="Times that a wallet fetched a pass by its token.")
    downloads_count: Count = Field(description="Times that a pass was downloaded.")
    views_count: Count = Field(description="Times that the page of a pass was shown.")
    creates_count: Count = Field(description="Passes that were created.")
    expires_count: Count = Field(description="Always 0: it is not counted.")
    pushes_count: Count = Field(description="Pushes that a push service took.")
    updates_count: Count = Field(description="Changes of passes by updates.")
    webhooks_count: Count = Field(description="Events that the account's address took.")
    api_calls_count: Count = Field(description="Always 0: it is not counted.")
    distribution_updates_count: Count = Field(description="Always 0: it is not counted.")
    active_count: int = Field(description="Installs without uninstalls.")
    removed_count: Count = Field(description="Equal to `uninstalls_count`.")


class SystemCounts(Answer):
    """By operating system; `wp` is Windows Phone."""

    ios: Count = Field(description="On iOS.")
    android: Count = Field(description="On Android.")
    wp: Count = Field(description="Always 0.")


class DayCounts(_Counts):
    """What happened on one day."""

    i: SystemCounts = Field(description="Installs.")
    u: SystemCounts = Field(description="Uninstalls.")


class InstallCounts(Answer):
    """Of one operating system."""

    installs_count: Count = Field(description="Registrations that began.")
    uninstalls_count: Count = Field(description="Registrations that ended.")


class TotalCounts(_Counts):
    """What has happened."""

    apple: InstallCounts
    android: InstallCounts


Date = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2016-06-29"])]


class ReportByDay(Answer):
    """What happened to a campaign's passes, by day."""

    model_config = _example(examples.REPORT)

    campaign_id: Uuid = Field(description="The campaign's id.")
    start_date: Date = Field(description="The first day.")
    end_date: Date = Field(description="The last day.")
    report: dict[Date, DayCounts] = Field(description="What happened, by day, also of days without events.")


class ReportTotals(Answer):
    """What has happened to a campaign's passes."""

    model_config = _example(examples.TOTALS)

    campaign_id: Uuid = Field(description="The campaign's id.")
    report: TotalCounts
