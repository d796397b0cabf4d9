"""What of the code archive functions can come to, by their imports."""

from __future__ import annotations

import pytest

from infra.reachable import find_reachable

PACKAGE = {"chalicelib/__init__.py": b"", "chalicelib/store/__init__.py": b""}
FAR = "chalicelib/store/far.py"


@pytest.mark.parametrize(
    "source",
    [
        b"import chalicelib.store.far",
        b"from chalicelib.store import far",
        b"from chalicelib.store.far import VALUE",
        b"def find():\n    from chalicelib.store import far",
        b"try:\n    pass\nexcept OSError:\n    import chalicelib.store.far as other",
        b"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import chalicelib.store.far",
    ],
)
def test_what_is_imported_is_reached_with_its_packages(source: bytes) -> None:
    files = PACKAGE | {"app.py": b"import chalicelib.near, json", "chalicelib/near.py": source, FAR: b"VALUE = 1"}
    assert find_reachable(files) == files.keys()


def test_workers_are_begun_with_as_the_app_is() -> None:
    files = PACKAGE | {"chalicelib/workers/push.py": b"import chalicelib.store.far", FAR: b""}
    assert {"chalicelib/workers/push.py", FAR} <= find_reachable(files)


def test_the_rest_is_not_reached() -> None:
    typing = b"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from chalicelib.store import far"
    files = PACKAGE | {"app.py": typing, FAR: b"", "chalicelib/cli.py": b"import app", "chalicelib/page.html": b""}
    assert find_reachable(files) == {"app.py"}
