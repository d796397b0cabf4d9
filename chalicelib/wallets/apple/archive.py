"""The signed `.pkpass` file of a pass (wallets, section 5)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.credentials import SigningCredentials
from chalicelib.wallets.apple.images import ReadImage, image_members
from chalicelib.wallets.apple.pass_json import render_pass_json
from chalicelib.wallets.apple.signature import sign_manifest

_ZIP_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
"""no member of a zip file can be older"""


def build_archive(pass_: Pass, *, credentials: SigningCredentials, base_url: str, read_image: ReadImage) -> bytes:
    """The file of a pass: the same bytes, in any process, for the same version, images, certificate and base.

    Raises:
        ValueError: the base is no address for a web service, see `render_pass_json`.
    """
    modified = datetime.fromtimestamp(pass_.last_modified, UTC)
    members = {
        "pass.json": _encode(render_pass_json(pass_, credentials=credentials, base_url=base_url)),
        **image_members(pass_, read_image),
    }
    manifest = write_manifest(members)
    # a renewed certificate did not exist yet when an older pass changed
    signed_at = max(modified, credentials.not_before)
    signature = sign_manifest(manifest, credentials=credentials, signed_at=signed_at)
    return _zip({**members, "manifest.json": manifest, "signature": signature}, modified=modified)


def write_manifest(members: Mapping[str, bytes]) -> bytes:
    """The SHA-1 of every member, which is the digest that Wallet compares."""
    digests = {name: hashlib.sha1(data, usedforsecurity=False).hexdigest() for name, data in members.items()}
    return json.dumps(digests, indent=1, sort_keys=True).encode()


def _encode(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _zip(members: Mapping[str, bytes], *, modified: datetime) -> bytes:
    """Stored, not packed: images are packed already, and packing differs from one zlib to the next."""
    moment = max(modified, _ZIP_EPOCH)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, moment.timetuple()[:6]), data)
    return buffer.getvalue()
