"""The rows, as pynamodb models. Tables and indexes themselves are defined in `infra/resources.yaml`; a test compares.

`Meta.table_name` holds the bare name until `connection.py` binds the models to a deployment's prefix and to the one
shared client.
"""

from __future__ import annotations

from typing import Any, Final

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.store.campaign_models import AssetRow, LookRow, ReceivedEventRow, RedeemRow, RegistrationRow
from chalicelib.store.delivery_models import DeliveryRow, OutboxRow, RateLimitRow, ReceiverRow
from chalicelib.store.google_models import GoogleObjectRow
from chalicelib.store.idempotency_models import IdempotencyRow


class RateAttribute(NumberAttribute):
    """A number that need not be whole."""


class ProjectRow(Model):
    """A tenant."""

    class Meta:
        table_name = "projects"

    project_id = NumberAttribute(hash_key=True)
    name = UnicodeAttribute()
    created_at = NumberAttribute()
    limit_per_second = RateAttribute(null=True)
    """requests that it may make; 0 for any number, missing for what all may"""
    limit_burst = NumberAttribute(null=True)


class CredentialsBySecret(GlobalSecondaryIndex["CredentialRow"]):
    """For clients that send the secret alone."""

    class Meta:
        index_name = "by_secret"
        projection = AllProjection()

    secret_hash = UnicodeAttribute(hash_key=True)


class CredentialRow(Model):
    """A key and the hash of its secret."""

    class Meta:
        table_name = "credentials"

    key = UnicodeAttribute(hash_key=True)
    secret_hash = UnicodeAttribute()
    project_id = NumberAttribute()
    created_at = NumberAttribute()
    revoked_at = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    limit_per_second = RateAttribute(null=True)
    """of this key alone, as in `ProjectRow`"""
    limit_burst = NumberAttribute(null=True)
    project_limit_per_second = RateAttribute(null=True)
    """a copy of its project's, so that a request reads one row"""
    project_limit_burst = NumberAttribute(null=True)
    by_secret = CredentialsBySecret()


class SequenceRow(Model):
    """A number that only grows, and the latest time it stood for; or, under a `block:` name, a leased block."""

    class Meta:
        table_name = "sequences"

    name = UnicodeAttribute(hash_key=True)
    value = NumberAttribute()
    latest = NumberAttribute(null=True)


class TemplatesByProject(GlobalSecondaryIndex["TemplateRow"]):
    """Headers without bodies."""

    class Meta:
        index_name = "by_project"
        projection = IncludeProjection(
            [
                "campaign_id",
                "external_id",
                "name",
                "description",
                "type",
                "project_type",
                "vendor",
                "deleted",
                "created_at",
                "updated_at",
            ]
        )

    project_id = NumberAttribute(hash_key=True)
    template_id = NumberAttribute(range_key=True)


class TemplateRow(Model):
    """A template. A deleted one stays, hidden, so that what it was remains known."""

    class Meta:
        table_name = "templates"

    project_id = NumberAttribute(hash_key=True)
    template_id = NumberAttribute(range_key=True)
    campaign_id = UnicodeAttribute()
    external_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    type = UnicodeAttribute()
    project_type = UnicodeAttribute()
    vendor = UnicodeAttribute()
    deleted = BooleanAttribute(default=False)
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    content = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    by_project = TemplatesByProject()


class PassesByProject(GlobalSecondaryIndex["PassRow"]):
    """Project to pass: one segment of one project."""

    class Meta:
        index_name = "by_project"
        projection = IncludeProjection(["status"])

    segment = NumberAttribute(hash_key=True)
    pass_id = NumberAttribute(range_key=True)


class PassesByTemplate(GlobalSecondaryIndex["PassRow"]):
    """Template to pass."""

    class Meta:
        index_name = "by_template"
        projection = IncludeProjection(["status"])

    template_segment = UnicodeAttribute(hash_key=True)
    pass_id = NumberAttribute(range_key=True)


class PassesByUpdate(GlobalSecondaryIndex["PassRow"]):
    """A project's passes by `updatedAt`, in shards."""

    class Meta:
        index_name = "by_updated"
        projection = IncludeProjection(["status", "template_id", "tags"])

    updated_shard = UnicodeAttribute(hash_key=True)
    updated_order = UnicodeAttribute(range_key=True)


class PassesByCode(GlobalSecondaryIndex["PassRow"]):
    """Redeem code to pass."""

    class Meta:
        index_name = "by_code"
        projection = KeysOnlyProjection()

    code_key = UnicodeAttribute(hash_key=True)
    pass_id = NumberAttribute(range_key=True)


class PassRow(Model):
    """A pass with everything it shows."""

    class Meta:
        table_name = "passes"

    pass_id = NumberAttribute(hash_key=True)
    project_id = NumberAttribute()
    template_id = NumberAttribute()
    serial_number = UnicodeAttribute()
    external_id = UnicodeAttribute(null=True)
    authentication_token = UnicodeAttribute()
    download_token = UnicodeAttribute()
    public_type = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    installed_at = NumberAttribute(null=True)
    uninstalled_at = NumberAttribute(null=True)
    platform = UnicodeAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    content = UnicodeAttribute()
    version = NumberAttribute()
    last_modified = NumberAttribute()
    changed_ticket = NumberAttribute()
    revision = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    registrations = NumberAttribute()
    redeem_code = UnicodeAttribute()
    redeemed_count = NumberAttribute()
    redeemed_at = NumberAttribute(null=True)
    own_code = BooleanAttribute(null=True)
    segment = NumberAttribute()
    template_segment = UnicodeAttribute()
    updated_shard = UnicodeAttribute()
    updated_order = UnicodeAttribute()
    code_key = UnicodeAttribute()
    by_project = PassesByProject()
    by_template = PassesByTemplate()
    by_updated = PassesByUpdate()
    by_code = PassesByCode()


class ExternalIdRow(Model):
    """An external id inside its parent; creating it is what makes it unique."""

    class Meta:
        table_name = "external-ids"

    key = UnicodeAttribute(hash_key=True)
    parent_id = NumberAttribute(range_key=True)
    target_id = NumberAttribute()


class TagsByProject(GlobalSecondaryIndex["TagRow"]):
    """Project to tag."""

    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    project_segment = UnicodeAttribute(hash_key=True)
    tag_id = NumberAttribute(range_key=True)


class TagRow(Model):
    """A tag, once under its name and once under its id; both always agree."""

    class Meta:
        table_name = "tags"

    key = UnicodeAttribute(hash_key=True)
    project_id = NumberAttribute()
    tag_id = NumberAttribute()
    name = UnicodeAttribute()
    generation = NumberAttribute()
    created_at = NumberAttribute()
    project_segment = UnicodeAttribute(null=True)
    by_project = TagsByProject()


class MembershipsByTag(GlobalSecondaryIndex["MembershipRow"]):
    """Tag to pass: one segment of one generation of a tag."""

    class Meta:
        index_name = "by_tag"
        projection = IncludeProjection(["status"])

    tag_segment = UnicodeAttribute(hash_key=True)
    pass_id = NumberAttribute(range_key=True)


class MembershipRow(Model):
    """One tag on one pass."""

    class Meta:
        table_name = "memberships"

    pass_id = NumberAttribute(hash_key=True)
    tag_id = NumberAttribute(range_key=True)
    generation = NumberAttribute()
    tag_segment = UnicodeAttribute()
    status = UnicodeAttribute()
    by_tag = MembershipsByTag()


class SegmentRow(Model):
    """One stripe of one segment's counter: an attribute for each facet value. `slot` is segment * 16 + stripe."""

    class Meta:
        table_name = "segments"

    collection = UnicodeAttribute(hash_key=True)
    slot = NumberAttribute(range_key=True)
    member = NumberAttribute(null=True)
    not_been_installed = NumberAttribute(null=True)
    installed = NumberAttribute(null=True)
    uninstalled = NumberAttribute(null=True)
    passbook = NumberAttribute(null=True)
    google_wallet = NumberAttribute(null=True)
    wallet_passes = NumberAttribute(null=True)
    passworks_wallet = NumberAttribute(null=True)
    pass2u = NumberAttribute(null=True)
    passwallet = NumberAttribute(null=True)
    installs_ios = NumberAttribute(null=True)
    installs_android = NumberAttribute(null=True)
    uninstalls_ios = NumberAttribute(null=True)
    uninstalls_android = NumberAttribute(null=True)
    creates = NumberAttribute(null=True)
    updates = NumberAttribute(null=True)
    redeems = NumberAttribute(null=True)
    fetches = NumberAttribute(null=True)
    downloads = NumberAttribute(null=True)
    views = NumberAttribute(null=True)
    pushes = NumberAttribute(null=True)
    webhooks = NumberAttribute(null=True)


FACETS: Final = tuple(name for name in SegmentRow.get_attributes() if name not in ("collection", "slot"))
"""The counting attributes of `SegmentRow`."""


class TicketsOpen(GlobalSecondaryIndex["TicketRow"]):
    """Unfinished bulk updates."""

    class Meta:
        index_name = "by_open"
        projection = KeysOnlyProjection()

    open = UnicodeAttribute(hash_key=True)
    ticket_id = NumberAttribute(range_key=True)


class TicketRow(Model):
    """The head of a ticket: small, because every segment adds to it."""

    class Meta:
        table_name = "tickets"

    ticket_id = NumberAttribute(hash_key=True)
    project_id = NumberAttribute()
    status = UnicodeAttribute()
    created_at = NumberAttribute()
    tag_id = NumberAttribute(null=True)
    generation = NumberAttribute(null=True)
    template_id = NumberAttribute(null=True)
    total = NumberAttribute()
    processed = NumberAttribute()
    changed = NumberAttribute()
    failed = NumberAttribute()
    segments_total = NumberAttribute(null=True)
    segments_done = NumberAttribute()
    segments_failed = NumberAttribute()
    open = UnicodeAttribute(null=True)
    by_open = TicketsOpen()


class TicketPartRow(Model):
    """What a ticket writes, its plan, or the marker of a segment that was handled or has failed."""

    class Meta:
        table_name = "ticket-parts"

    ticket_id = NumberAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    document = UnicodeAttribute(null=True)
    passes = NumberAttribute(null=True)


class SweepRow(Model):
    """A dead collection that has still to be cleared away."""

    class Meta:
        table_name = "sweeps"

    collection = UnicodeAttribute(hash_key=True)


MODELS: Final[tuple[type[Model], ...]] = (
    ProjectRow,
    CredentialRow,
    SequenceRow,
    TemplateRow,
    PassRow,
    ExternalIdRow,
    TagRow,
    MembershipRow,
    SegmentRow,
    TicketRow,
    TicketPartRow,
    RegistrationRow,
    RedeemRow,
    LookRow,
    AssetRow,
    ReceivedEventRow,
    DeliveryRow,
    GoogleObjectRow,
    ReceiverRow,
    OutboxRow,
    SweepRow,
    RateLimitRow,
    IdempotencyRow,
)

RawItem = dict[str, dict[str, Any]]
"""an item as DynamoDB sends it: attribute name to type and value"""
