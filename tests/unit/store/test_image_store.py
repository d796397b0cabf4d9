"""Where images are kept: a folder, a bucket, nowhere; and which of them the process remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from chalicelib.domain.asset_ports import ImageStore
from chalicelib.domain.assets import image_key
from chalicelib.domain.errors import Busy
from chalicelib.settings import Settings
from chalicelib.store.image_cache import ImageCache
from chalicelib.store.images import FolderImageStore, MissingImageStore, S3ImageStore, make_image_store

ONE = "0d9d1ed1-0000-4000-8000-000000000001"
OTHER = "0d9d1ed1-0000-4000-8000-000000000002"
KEY = image_key(ONE, "original")
PREFIX = f"assets/{ONE}/"


def uses(store: ImageStore) -> list[tuple[str, Callable[[], object]]]:
    """Each use of a store, with the first operation on S3 that it comes down to."""
    return [
        ("put_object", lambda: store.write(KEY, b"")),
        ("get_object", lambda: store.read(KEY)),
        ("list_objects_v2", lambda: store.delete_all(PREFIX)),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> FolderImageStore:
    return FolderImageStore(tmp_path / "images")


def test_a_folder_gives_back_what_was_written_last(folder: FolderImageStore) -> None:
    assert folder.read(KEY) is None
    folder.write(KEY, b"one")
    folder.write(KEY, b"two")

    assert folder.read(KEY) == b"two"


def test_a_folder_removes_the_files_of_one_asset_alone(folder: FolderImageStore) -> None:
    folder.write(KEY, b"one")
    folder.write(image_key(ONE, "2x"), b"one")
    folder.write(image_key(OTHER, "2x"), b"other")

    folder.delete_all(PREFIX)
    folder.delete_all(PREFIX)

    assert (folder.read(KEY), folder.read(image_key(ONE, "2x"))) == (None, None)
    assert folder.read(image_key(OTHER, "2x")) == b"other"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    folder: FolderImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(KEY, b"old")

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(Busy):
        folder.write(KEY, b"new")

    assert folder.read(KEY) == b"old"
    assert [path.name for path in (tmp_path / "images" / "assets" / ONE).iterdir()] == ["original.png"]


def test_a_folder_that_cannot_be_used_is_busy(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("a file in its place")
    store = FolderImageStore(tmp_path / "images")

    for _, use in uses(store):
        with pytest.raises(Busy):
            use()


@pytest.mark.parametrize(
    "key",
    [
        "../secret.png",
        "assets/../../secret.png",
        "/etc/passwd.png",
        "assets/./a.png",
        "assets//a.png",
        "assets\\a.png",
        "assets/.png",
        "assets/a.PNG",
        "assets/a.png\n",
        "a\0.png",
        "..",
        "",
    ],
)
def test_no_key_leads_out_of_the_folder(folder: FolderImageStore, tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")

    with pytest.raises(ValueError, match="is no key"):
        folder.read(key)
    with pytest.raises(ValueError, match="is no key"):
        folder.write(key, b"")
    assert (tmp_path / "secret.png").read_bytes() == b"secret"


@pytest.mark.parametrize("prefix", ["../", "/", "", f"assets/{ONE}", KEY, "assets/../../"])
def test_no_prefix_removes_more_than_a_folder_inside(folder: FolderImageStore, prefix: str) -> None:
    folder.write(KEY, b"one")

    with pytest.raises(ValueError, match=r"is no key|does not end"):
        folder.delete_all(prefix)
    assert folder.read(KEY) == b"one"


def make_client() -> Any:
    session: Any = botocore.session
    return session.get_session().create_client(
        "s3",
        "us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def client() -> Any:
    return make_client()


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def bucket(client: Any) -> S3ImageStore:
    return S3ImageStore(lambda: client, "pictures")


def test_a_bucket_gets_png_objects(bucket: S3ImageStore, stubber: Stubber) -> None:
    expected = {"Bucket": "pictures", "Key": KEY, "Body": b"one", "ContentType": "image/png"}
    stubber.add_response("put_object", {}, expected)

    bucket.write(KEY, b"one")


def test_a_bucket_is_read_by_key(bucket: S3ImageStore, stubber: Stubber) -> None:
    body = StreamingBody(BytesIO(b"one"), 3)
    stubber.add_response("get_object", {"Body": body}, {"Bucket": "pictures", "Key": KEY})

    assert bucket.read(KEY) == b"one"


def test_a_missing_object_is_none(bucket: S3ImageStore, stubber: Stubber) -> None:
    stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)

    assert bucket.read(KEY) is None


def test_a_bucket_removes_every_object_of_the_prefix(bucket: S3ImageStore, stubber: Stubber) -> None:
    listing = {"Bucket": "pictures", "Prefix": PREFIX}
    first = {"IsTruncated": True, "NextContinuationToken": "next", "Contents": [{"Key": "a"}, {"Key": "b"}]}
    stubber.add_response("list_objects_v2", first, listing)
    stubber.add_response("delete_objects", {}, removal("a", "b"))
    second = {"IsTruncated": False, "Contents": [{"Key": "c"}]}
    stubber.add_response("list_objects_v2", second, {**listing, "ContinuationToken": "next"})
    stubber.add_response("delete_objects", {}, removal("c"))

    bucket.delete_all(PREFIX)


def removal(*keys: str) -> dict[str, Any]:
    return {"Bucket": "pictures", "Delete": {"Objects": [{"Key": key} for key in keys], "Quiet": True}}


def test_nothing_to_remove_is_no_call(bucket: S3ImageStore, stubber: Stubber) -> None:
    stubber.add_response("list_objects_v2", {"IsTruncated": False})

    bucket.delete_all(PREFIX)


def test_a_prefix_of_a_bucket_ends_with_a_slash(bucket: S3ImageStore) -> None:
    with pytest.raises(ValueError, match="does not end"):
        bucket.delete_all("assets/1")


def test_an_object_that_stays_is_busy(bucket: S3ImageStore, stubber: Stubber) -> None:
    stubber.add_response("list_objects_v2", {"IsTruncated": False, "Contents": [{"Key": "a"}]})
    stubber.add_response("delete_objects", {"Errors": [{"Key": "a", "Code": "InternalError"}]})

    with pytest.raises(Busy):
        bucket.delete_all(PREFIX)


@pytest.mark.parametrize("code", ["SlowDown", "AccessDenied", "NoSuchBucket", "InternalError"])
def test_what_the_bucket_refuses_is_busy_and_keeps_its_cause(bucket: S3ImageStore, stubber: Stubber, code: str) -> None:
    for operation, use in uses(bucket):
        stubber.add_client_error(operation, code)
        with pytest.raises(Busy) as busy:
            use()
        assert code in str(busy.value.__cause__)


class Unreachable:
    """A client whose every call fails on the way."""

    def __getattr__(self, name: str) -> Any:
        raise EndpointConnectionError(endpoint_url="https://pictures")


def test_a_bucket_that_cannot_be_reached_is_busy() -> None:
    store = S3ImageStore(Unreachable, "pictures")
    for _, use in uses(store):
        with pytest.raises(Busy):
            use()


def test_the_setting_chooses_the_store_and_connects_to_nothing(tmp_path: Path) -> None:
    made: list[tuple[str, str | None]] = []

    def create_client(service: str, endpoint: str | None) -> Any:
        made.append((service, endpoint))
        return Unreachable()

    folder = make_image_store(Settings(assets=f"file:{tmp_path}"), create_client)
    bucket = make_image_store(Settings(assets="s3:pictures", s3_endpoint="http://localhost:1"), create_client)

    assert isinstance(folder, FolderImageStore)
    assert isinstance(bucket, S3ImageStore)
    assert made == []
    with pytest.raises(Busy):
        bucket.read(KEY)
    assert made == [("s3", "http://localhost:1")]


def test_without_the_setting_every_use_names_it() -> None:
    def create_client(_service: str, _endpoint: str | None) -> Any:
        raise AssertionError("no client is needed")

    store = make_image_store(Settings(), create_client)

    assert isinstance(store, MissingImageStore)
    for _, use in uses(store):
        with pytest.raises(Busy, match="PASSEL_ASSETS"):
            use()


class CountingStore(FolderImageStore):
    """Counts what is read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reads: list[str] = []

    def read(self, key: str) -> bytes | None:
        self.reads.append(key)
        return super().read(key)


@pytest.fixture
def counting(tmp_path: Path) -> CountingStore:
    return CountingStore(tmp_path)


def test_an_image_is_read_once(counting: CountingStore) -> None:
    counting.write(image_key(ONE, "2x"), b"image")
    cache = ImageCache(counting)

    assert [cache.read_image(ONE, 2) for _ in range(3)] == [b"image"] * 3
    assert counting.reads == [image_key(ONE, "2x")]


def test_a_missing_image_is_asked_for_again(counting: CountingStore) -> None:
    cache = ImageCache(counting)
    assert cache.read_image(ONE, 1) is None
    counting.write(image_key(ONE, "1x"), b"image")

    assert cache.read_image(ONE, 1) == b"image"


@pytest.mark.parametrize(
    ("asset_id", "scale"), [("../secret", 1), (ONE.upper(), 1), ("", 1), (f"{ONE}/", 1), (ONE, 4), (ONE, 0)]
)
def test_what_is_no_asset_is_not_even_looked_for(counting: CountingStore, asset_id: str, scale: int) -> None:
    assert ImageCache(counting).read_image(asset_id, scale) is None
    assert counting.reads == []


def test_the_least_recently_used_image_is_forgotten_first(counting: CountingStore) -> None:
    for name in ("1x", "2x", "3x"):
        counting.write(image_key(ONE, name), b"x" * 40)
    cache = ImageCache(counting, maximum_bytes=100)

    for scale in (1, 2, 1, 3, 1, 2):
        cache.read_image(ONE, scale)

    assert counting.reads == [image_key(ONE, name) for name in ("1x", "2x", "3x", "2x")]


def test_an_image_larger_than_the_memory_is_still_read(counting: CountingStore) -> None:
    counting.write(image_key(ONE, "1x"), b"x" * 101)

    assert ImageCache(counting, maximum_bytes=100).read_image(ONE, 1) == b"x" * 101
