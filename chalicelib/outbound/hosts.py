"""What the spelling of a host tells of whether it may be called: enough to refuse a setting that can never work."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Sequence

import idna

from chalicelib.outbound.addresses import check_address

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_NAME = 253
_OWN_NAMES = ("localhost", "localhost.localdomain")
_LOOPBACK = "127.0.0.1"


def judge_host(host: str, *, allowed_networks: Sequence[str]) -> str | None:
    """Why a host, as `urlsplit` gives it, may not be called; None if nothing can be said before it is resolved.

    `allowed_networks` are blocks that an operator trusts although they are not public.
    """
    allowed = [ipaddress.ip_network(network) for network in allowed_networks]
    name = _read_name(host)
    if name is None:
        return "is not a host name"
    if name in _OWN_NAMES or name.endswith(".localhost"):
        return check_address(_LOOPBACK, allowed)
    address = _read_address(name)
    return None if address is None else check_address(address, allowed)


def _read_name(host: str) -> str | None:
    """A name as it is asked for: in ASCII, without a dot at its end; digits of any script are digits."""
    if ":" in host:
        return host.lower()
    try:
        name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
        name = name if name.isascii() else idna.encode(name).decode("ascii")
    except UnicodeError:
        return None
    name = name.removesuffix(".")
    fits = len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, name.split(".")))
    return name if fits else None


def _read_address(name: str) -> str | None:
    """The address that a literal is, also in the forms that resolvers take: `127.1`, `2130706433`, `0x7f000001`."""
    if ":" in name:
        return name
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, UnicodeError):
        return None
