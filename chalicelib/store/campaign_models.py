"""The rows of registrations and campaigns, as pynamodb models; `models.py` says how they are bound."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model


class RegistrationsByTemplate(GlobalSecondaryIndex["RegistrationRow"]):
    """Campaign to registration: one segment of one template."""

    class Meta:
        index_name = "by_template"
        projection = IncludeProjection(["registration_id", "serial_number", "wallet", "created_at"])

    template_segment = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)


class RegistrationsByPass(GlobalSecondaryIndex["RegistrationRow"]):
    """Pass to registration, in pages."""

    class Meta:
        index_name = "by_pass"
        projection = IncludeProjection(["registration_id", "serial_number", "wallet", "created_at"])

    pass_segment = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)


class RegistrationsBySegment(GlobalSecondaryIndex["RegistrationRow"]):
    """Segment of passes to registration, with all that a push needs."""

    class Meta:
        index_name = "by_segment"
        projection = AllProjection()

    segment = NumberAttribute(hash_key=True)
    pass_id = NumberAttribute(range_key=True)


class RegistrationsByToken(GlobalSecondaryIndex["RegistrationRow"]):
    """Push token to registration."""

    class Meta:
        index_name = "by_token"
        projection = KeysOnlyProjection()

    token_key = UnicodeAttribute(hash_key=True)
    pass_id = NumberAttribute(range_key=True)


class RegistrationRow(Model):
    """One pass on one device."""

    class Meta:
        table_name = "registrations"

    device = UnicodeAttribute(hash_key=True)
    pass_id = NumberAttribute(range_key=True)
    registration_id = UnicodeAttribute()
    number = NumberAttribute()
    project_id = NumberAttribute()
    template_id = NumberAttribute()
    serial_number = UnicodeAttribute()
    pass_type = UnicodeAttribute()
    wallet = UnicodeAttribute()
    push_token = UnicodeAttribute()
    push_service_url = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    registered_at = NumberAttribute()
    template_segment = UnicodeAttribute()
    pass_segment = UnicodeAttribute()
    segment = NumberAttribute()
    token_key = UnicodeAttribute()
    by_template = RegistrationsByTemplate()
    by_pass = RegistrationsByPass()
    by_segment = RegistrationsBySegment()
    by_token = RegistrationsByToken()


class RedeemsByTemplate(GlobalSecondaryIndex["RedeemRow"]):
    """Campaign to redeem."""

    class Meta:
        index_name = "by_template"
        projection = AllProjection()

    template_segment = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)


class RedeemsByPass(GlobalSecondaryIndex["RedeemRow"]):
    """Pass to redeem."""

    class Meta:
        index_name = "by_pass"
        projection = AllProjection()

    pass_segment = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)


class RedeemRow(Model):
    """One redeem of one pass."""

    class Meta:
        table_name = "redeems"

    pass_id = NumberAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    redeem_id = UnicodeAttribute()
    template_id = NumberAttribute()
    serial_number = UnicodeAttribute()
    redeem_code = UnicodeAttribute()
    comment = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    template_segment = UnicodeAttribute()
    pass_segment = UnicodeAttribute()
    by_template = RedeemsByTemplate()
    by_pass = RedeemsByPass()


class LookRow(Model):
    """A Passworks template: the look of campaigns."""

    class Meta:
        table_name = "looks"

    project_id = NumberAttribute(hash_key=True)
    look_number = NumberAttribute(range_key=True)
    look_id = UnicodeAttribute()
    name = UnicodeAttribute()
    document = UnicodeAttribute()
    created_at = NumberAttribute()


class AssetRow(Model):
    """An uploaded image; its bytes are files elsewhere."""

    class Meta:
        table_name = "assets"

    project_id = NumberAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    asset_id = UnicodeAttribute()
    asset_type = UnicodeAttribute()
    created_at = NumberAttribute()
    size_bytes = NumberAttribute()


class ReceivedEventRow(Model):
    """An event of a wallet vendor that was handled; it is forgotten when it could no longer be sent again."""

    class Meta:
        table_name = "received-events"

    event = UnicodeAttribute(hash_key=True)
    expires_at = NumberAttribute()
