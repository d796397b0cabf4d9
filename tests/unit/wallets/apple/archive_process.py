"""Builds one archive in a process of its own and prints its bytes in hexadecimal: `archive_process.py <folder>`."""

from __future__ import annotations

import sys
from pathlib import Path

from chalicelib.store.certificates import FolderSource
from chalicelib.wallets.apple.archive import build_archive
from chalicelib.wallets.apple.keyring import Keyring
from tests.support.certificates import NOW
from tests.unit.wallets.apple.test_archive import BASE, full_pass, read_image

if __name__ == "__main__":
    keyring = Keyring(FolderSource(Path(sys.argv[1])), now=lambda: NOW, cache_seconds=60)
    credentials = keyring.get_credentials(1, None)
    assert credentials is not None
    archive = build_archive(full_pass(), credentials=credentials, base_url=BASE, read_image=read_image)
    sys.stdout.write(archive.hex())
