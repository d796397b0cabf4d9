"""Parts of the command line that need no engine and no network."""

from tests.support import profiles
from tests.support.no_network import no_sockets

__all__ = ["no_sockets"]

profiles.load()
