"""The bytes of uploaded images: S3 objects on AWS, files of a folder on a laptop (DESIGN, section 6)."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.asset_ports import ImageStore
from chalicelib.domain.errors import Busy
from chalicelib.settings import Settings

_KEY = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*(?:\.png|/)")
_MISSING = frozenset({"NoSuchKey", "404"})

_log = logging.getLogger("passel")


def make_image_store(settings: Settings, create_client: Callable[[str, str | None], Any]) -> ImageStore:
    """The store that the setting `assets` names. It connects, or says that it is not configured, when it is used.

    `create_client` makes a botocore client of a service at an endpoint.
    """
    scheme, _, place = (settings.assets or "").partition(":")
    if scheme == "file":
        return FolderImageStore(Path(place))
    if scheme == "s3":
        return S3ImageStore(partial(create_client, "s3", settings.s3_endpoint), place)
    return MissingImageStore()


class MissingImageStore:
    """Implements `ImageStore` for a deployment without a place for images: every call says so."""

    def write(self, key: str, data: bytes) -> None:
        """See `ImageStore`."""
        raise _not_configured()

    def read(self, key: str) -> bytes | None:
        """See `ImageStore`."""
        raise _not_configured()

    def delete_all(self, prefix: str) -> None:
        """See `ImageStore`."""
        raise _not_configured()


def _not_configured() -> Busy:
    return Busy("this server has no place for images: PASSEL_ASSETS is not set", retry_after_seconds=60)


class FolderImageStore:
    """Implements `ImageStore` on a local folder, which is made when the first image comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, key: str, data: bytes) -> None:
        """See `ImageStore`."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, data)
        except OSError as error:
            raise Busy("the folder of images cannot be written") from error

    def read(self, key: str) -> bytes | None:
        """See `ImageStore`."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Busy("the folder of images cannot be read") from error

    def delete_all(self, prefix: str) -> None:
        """See `ImageStore`."""
        try:
            shutil.rmtree(self._path(_check_prefix(prefix)))
        except FileNotFoundError:
            return
        except OSError as error:
            raise Busy("the folder of images cannot be written") from error

    def _path(self, key: str) -> Path:
        """Where a key lies; never outside the folder, since no part of a key may have a dot but its ending."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of an image")
        return self._folder / key


def _replace(path: Path, data: bytes) -> None:
    """Writes beside the file and renames, so that nobody reads half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _check_prefix(prefix: str) -> str:
    if not prefix.endswith("/"):
        raise ValueError(f"{prefix!r} does not end with a slash")
    return prefix


class S3ImageStore:
    """Implements `ImageStore` on a bucket; the client is made on first use."""

    def __init__(self, create_client: Callable[[], Any], bucket: str) -> None:
        self._create_client = create_client
        self._bucket = bucket

    @cached_property
    def _client(self) -> Any:
        return self._create_client()

    def write(self, key: str, data: bytes) -> None:
        """See `ImageStore`."""
        with _translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType="image/png")

    def read(self, key: str) -> bytes | None:
        """See `ImageStore`."""
        try:
            with _translated():
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
                return body
        except _MissingObject:
            return None

    def delete_all(self, prefix: str) -> None:
        """See `ImageStore`. An asset has a handful of files, so a page of the listing is a call of deletes."""
        listing = {"Bucket": self._bucket, "Prefix": _check_prefix(prefix)}
        with _translated():
            while True:  # the package holds no paginators of botocore
                page = self._client.list_objects_v2(**listing)
                found = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
                if found:
                    self._delete(found)
                if not page.get("IsTruncated"):
                    return
                listing["ContinuationToken"] = page["NextContinuationToken"]

    def _delete(self, found: list[dict[str, str]]) -> None:
        answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": found, "Quiet": True})
        if answer.get("Errors"):
            raise Busy("the images could not all be removed")


class _MissingObject(Exception):
    """There is no object of that key."""


@contextmanager
def _translated() -> Iterator[None]:
    """Turns what botocore raises into Busy, keeping the cause; what the bucket refuses is also logged."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in _MISSING:
            raise _MissingObject from error
        _log.warning("the bucket of images answered %s", code)
        raise Busy("the images cannot be reached") from error
    except BotoCoreError as error:
        raise Busy("the images cannot be reached") from error
