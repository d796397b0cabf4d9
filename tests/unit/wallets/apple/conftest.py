"""No engine, no network."""

from __future__ import annotations

import pytest

from chalicelib.wallets.apple.credentials import SigningCredentials
from tests.support import profiles
from tests.support.certificates import make_credentials
from tests.support.no_network import no_sockets

__all__ = ["no_sockets"]

profiles.load()


@pytest.fixture(scope="session")
def credentials() -> SigningCredentials:
    """A pass certificate fit to sign."""
    return make_credentials()
