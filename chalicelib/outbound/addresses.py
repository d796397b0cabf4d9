"""Which addresses are public, and so may be called although a stranger named them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SPECIAL = [
    (ipaddress.ip_network(network), kind)
    for kind, networks in {
        "unspecified": ("0.0.0.0/8", "::/128"),
        "loopback": ("127.0.0.0/8", "::1/128"),
        "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        "shared by a carrier": ("100.64.0.0/10",),
        "multicast": ("224.0.0.0/4", "ff00::/8"),
        "for documentation": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
        "a tunnel": ("192.88.99.0/24", "2001::/32", "2002::/16"),
        "reserved": ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "2001::/23"),
    }.items()
    for network in networks
]
"""IANA's special-purpose registries, of which what `ipaddress` knows depends on Python's patch release"""
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def check_address(text: str, allowed: Sequence[Network]) -> str | None:
    """Why an address may not be called; None if it may: it is public unicast, or in a network that is allowed.

    `text` is an address as resolvers write it. An IPv4 address inside an IPv6 one (mapped, NAT64) is judged as what it
    is; other tunnels are refused, as nothing that we may call lives there. A zone is always refused.
    """
    if "%" in text:
        return "has a zone"
    try:
        address = _unwrap(ipaddress.ip_address(text))
    except ValueError:
        return "is not an IP address"
    if any(address in network for network in allowed):
        return None
    kind = next((kind for network, kind in _SPECIAL if address in network), None)
    if kind is not None:
        return f"is {kind}"
    is_outside = isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST
    return "is not public" if is_outside or not address.is_global else None


def _unwrap(address: Address) -> Address:
    """The IPv4 address that packets for an IPv6 address would go to, where that is so."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
