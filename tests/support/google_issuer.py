"""A project's issuer at Google: its service account, made at run time, and templates and passes to send there."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chalicelib.domain.content import Content, ContentUpdate, Entry, apply_update
from chalicelib.domain.google_pacing import Pacer
from chalicelib.domain.google_passes import deliver_passes, make_save_link, record_shared_update
from chalicelib.domain.google_ports import GoogleObjectStore, GoogleParts
from chalicelib.domain.identifiers import uuid_carrying
from chalicelib.domain.passes import Pass
from chalicelib.domain.push_channels import PushResult
from chalicelib.domain.templates import APPLE, Template
from chalicelib.domain.wallet_services import GoogleAccount
from chalicelib.wallets.google.client import GoogleRestClient
from chalicelib.wallets.google.rendering import GooglePassRenderer
from local.google_api import GoogleApi
from tests.support.fake_google_store import FakeGoogleStore
from tests.support.wallet_passes import wallet_pass

ISSUER = "3388000000012345678"
EMAIL = "passes@project-of-tests.iam.gserviceaccount.com"
PROJECT_ID, TEMPLATE_ID = 1, 77
START = datetime(2026, 1, 2, 12, tzinfo=UTC)
BASE_URL = "https://passes.example.com/api"

TYPES = {
    "generics": "Generic",
    "coupons": "Coupon",
    "event_tickets": "Event Ticket",
    "store_cards": "Store Card",
    "boarding_passes": "Boarding Pass",
}
"""campaign type to template type"""


@lru_cache(maxsize=1)
def service_key() -> RSAPrivateKey:
    """The service account's key, made once for a process."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def make_key_file(**changes: Any) -> dict[str, Any]:
    """The JSON key file; a change replaces a member."""
    pem = service_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key_file = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": pem.decode(),
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return key_file | changes


def read_claims(link: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a save link, whose signature fits the service account's key."""
    header, claims, signature = link.rpartition("/")[2].split(".")
    signed = f"{header}.{claims}".encode()
    service_key().public_key().verify(_decode(signature), signed, PKCS1v15(), SHA256())
    return json.loads(_decode(header)), json.loads(_decode(claims))


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def make_content(
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    headers: Mapping[str, Any] | None = None,
    **lists: Any,
) -> Content:
    """Content with these fields, header values and lists."""
    return Content(
        fields={name: Entry(dict(attributes)) for name, attributes in (fields or {}).items()},
        headers={name: Entry({"value": value}) for name, value in (headers or {}).items()},
        lists=lists,
    )


POINTS = {"points": {"fieldType": "primary", "label": "Points", "value": "0", "changeMessage": "You have %@ points"}}


def make_template(
    campaign_type: str = "generics", content: Content | None = None, *, template_id: int = TEMPLATE_ID
) -> Template:
    """A template, with one announced field unless it is given content."""
    return Template(
        template_id=template_id,
        project_id=PROJECT_ID,
        campaign_id=uuid_carrying(template_id, random=uuid.UUID(int=7 << 80)),
        external_id=None,
        name="Paw Planet",
        description="Member card",
        type=TYPES[campaign_type],
        project_type="generic",
        vendor=APPLE,
        created_at=START,
        updated_at=START,
        content=content if content is not None else make_content(POINTS),
        revision=1,
    )


def make_pass(template: Template, pass_id: int = 12_345, **changes: Any) -> Pass:
    """A pass fresh from the template."""
    return replace(
        wallet_pass(),
        pass_id=pass_id,
        project_id=template.project_id,
        template_id=template.template_id,
        serial_number=uuid_carrying(pass_id, random=uuid.UUID(int=9 << 80)),
        content=Content.decode(template.content.encode()),
        **changes,
    )


def update(pass_: Pass, ticket_id: int, **values: Any) -> Pass:
    """The pass after a ticket that writes values of fields."""
    return apply(pass_, write_values(**values), ticket_id)


def apply(pass_: Pass, content_update: ContentUpdate, ticket_id: int) -> Pass:
    """The pass after a ticket."""
    content = pass_.content.copy_for(content_update)
    apply_update(content, content_update, ticket_id=ticket_id)
    return replace(pass_, content=content, revision=pass_.revision + 1)


def write_values(**values: Any) -> ContentUpdate:
    """An update of the values of fields."""
    return ContentUpdate(fields={name: {"value": value} for name, value in values.items()})


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    moment: datetime = START
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


class Issuer:
    """Google and a worker that sends passes there, over real connections and with a clock of its own."""

    def __init__(self, api: GoogleApi, store: GoogleObjectStore, clock: Clock, client: GoogleRestClient) -> None:
        self.api = api
        self.store = store
        self.clock = clock
        self.client = client
        self.account = GoogleAccount(
            issuer_id=ISSUER,
            service_account=make_key_file(),
            rest_base_url=api.rest_base_url,
            token_url=api.token_url,
            origins=("https://passes.example.com",),
        )
        self.passes: dict[int, Pass] = {}
        """as they are stored"""
        self.templates: dict[int, Template] = {}
        self.parts = GoogleParts(
            client=client,
            renderer=GooglePassRenderer(
                public_base_url=BASE_URL, default_logo_url="https://passes.example.com/logo.png"
            ),
            store=store,
            now=clock.now,
            find_account=lambda _: self.account,
        )

    def add(self, *passes: Pass, template: Template) -> None:
        """Stores a template and passes of it."""
        self.templates[template.template_id] = template
        self.passes |= {pass_.pass_id: pass_ for pass_ in passes}

    def read_passes(self, pass_ids: Sequence[int]) -> dict[int, Pass]:
        return {one: self.passes[one] for one in pass_ids if one in self.passes}

    def read_template(self, _: int, template_id: int) -> Template | None:
        return self.templates.get(template_id)

    def link(self, pass_: Pass) -> str | None:
        """The link that saves a pass."""
        template = self.templates[pass_.template_id]
        return make_save_link(self.parts, pass_, template=template, read_passes=self.read_passes)

    def deliver(self, *pass_ids: int, registered: Mapping[int, str] | None = None) -> list[PushResult]:
        """Delivers the passes, all of them unless some are named."""
        return list(
            deliver_passes(
                self.parts,
                project_id=PROJECT_ID,
                pass_ids=pass_ids or tuple(self.passes),
                read_passes=self.read_passes,
                read_template=self.read_template,
                registered=registered,
            )
        )

    def change(self, pass_id: int, ticket_id: int, **values: Any) -> Pass:
        """Writes values of fields of one pass."""
        self.passes[pass_id] = update(self.passes[pass_id], ticket_id, **values)
        return self.passes[pass_id]

    def change_all(self, ticket_id: int, **values: Any) -> None:
        """Writes values of fields of every pass of the one template, and notes that it was for all."""
        (template,) = self.templates.values()
        record_shared_update(
            self.parts.store,
            template_id=template.template_id,
            update=write_values(**values),
            ticket_id=ticket_id,
        )
        for pass_id in self.passes:
            self.change(pass_id, ticket_id, **values)

    def shows(self, pass_: Pass, key: str) -> str:
        """What Google shows of a field: the first of its references that leads to something."""
        for kind, resource_id in (("Object", f"{ISSUER}.{pass_.serial_number}"), ("Class", None)):
            resources = [one for name, one in self.api.resources.items() if name.endswith(kind)]
            for documents in resources:
                document = documents.get(resource_id or self._class_id(pass_), {})
                for module in document.get("textModulesData", []):
                    if module["id"] == key:
                        return str(module["body"])
        return ""

    def _class_id(self, pass_: Pass) -> str:
        return f"{ISSUER}.{self.templates[pass_.template_id].campaign_id}"


@contextmanager
def run_issuer(store: GoogleObjectStore | None = None, *, timeout_seconds: float = 10) -> Iterator[Issuer]:
    """Google, with nothing there yet, while the block runs."""
    clock, chosen = Clock(), store or FakeGoogleStore()
    api = GoogleApi(
        issuer_id=ISSUER,
        public_key=service_key().public_key(),
        email=EMAIL,
        now=lambda: clock.now().timestamp(),
    )
    client = GoogleRestClient(Pacer(chosen, now=clock.now, sleep=clock.sleep), timeout_seconds=timeout_seconds)
    with api:
        try:
            yield Issuer(api, chosen, clock, client)
        finally:
            client.close()
