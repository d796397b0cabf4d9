"""The rows of what is on its way, pushes, callbacks and requests, as pynamodb models; `models.py` binds them."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class DeliveryRow(Model):
    """What became of one ticket's push to one device; or, under a `pause#` name, that a service is left alone.

    `until` is when somebody who took it counts as dead, or when the push was made, or since when the device is gone.
    """

    class Meta:
        table_name = "deliveries"

    key = UnicodeAttribute(hash_key=True)
    state = UnicodeAttribute()
    until = NumberAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    failures = NumberAttribute(null=True)
    expires_at = NumberAttribute()


class OutboxRow(Model):
    """A message that a change brings about, until a worker has handled it."""

    class Meta:
        table_name = "outbox"

    key = UnicodeAttribute(hash_key=True)
    queue = UnicodeAttribute()
    document = UnicodeAttribute()
    created_at = NumberAttribute()


class ReceiverRow(Model):
    """Where a project's own systems are told of what happens."""

    class Meta:
        table_name = "receivers"

    project_id = NumberAttribute(hash_key=True)
    document = UnicodeAttribute()
    revision = NumberAttribute()


class RateLimitRow(Model):
    """What requests took of one bucket; DynamoDB forgets it. `rate_limits.py` writes it, with more than this in it."""

    class Meta:
        table_name = "rate-limits"

    bucket = UnicodeAttribute(hash_key=True)
    expires_at = NumberAttribute()
