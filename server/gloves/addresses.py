"""Which network addresses a fetch may dial."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from server.gloves.hosts import Address

_METADATA = frozenset({IPv4Address("169.254.169.254"), IPv6Address("fd00:ec2::254"), IPv6Address("fd20:ce::254")})
# Beyond what `ipaddress` calls not global in every patch release of Python 3.11.
_SHARED = IPv4Network("100.64.0.0/10")  # RFC 6598
_CLOSED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # RFC 791: this network
        "192.0.0.0/24",  # RFC 6890: protocol assignments
        "192.0.2.0/24",  # RFC 5737: documentation, as the next two
        "192.31.196.0/24",  # RFC 7535: AS112
        "192.52.193.0/24",  # RFC 7450: AMT
        "192.88.99.0/24",  # RFC 7526: 6to4 relays
        "192.175.48.0/24",  # RFC 7534: AS112
        "198.18.0.0/15",  # RFC 2544: benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_CLOSED_6 = tuple(
    IPv6Network(text)
    for text in (
        "100::/64",  # RFC 6666: discard
        "2001::/23",  # RFC 2928: protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # RFC 3849: documentation
        "3fff::/20",  # RFC 9637: documentation
        "5f00::/16",  # RFC 9602: segment routing
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")  # RFC 4291: all that is handed out; private, link-local, multicast are outside it
_6TO4 = IPv6Network("2002::/16")  # RFC 3056
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # RFC 2765


def closed_reason(address: Address, *, private_allowed: bool = False) -> str | None:
    """Why a fetch must not dial an address; None where it may.

    Args:
        address: as a resolver gives it.
        private_allowed: whether the operator opened this host: then loopback, private and shared addresses are dialled,
            and metadata, link-local, multicast, reserved and unspecified ones still are not.

    Source: IANA special-purpose address registries (RFC 6890) of IPv4 and IPv6.
    """
    for inner in _embedded(address):
        # Whatever it stands for, an address in an address is not what a name of the internet leads to.
        return f"IPv6 with {_kind(inner) or 'an IPv4'} address in it"
    kind = _kind(address)
    return None if kind in _OPENABLE and private_allowed else kind


_OPENABLE = frozenset({"a loopback", "a private", "a shared"})


def _kind(address: Address) -> str | None:
    """What an address is, where it is not one of the open internet. The most dangerous comes first."""
    if address in _METADATA:
        return "a metadata"
    kinds = (
        ("an unspecified", address.is_unspecified),
        ("a loopback", address.is_loopback),
        ("a link-local", address.is_link_local),
        ("a multicast", address.is_multicast),
        ("a site-local", isinstance(address, IPv6Address) and address.is_site_local),
        ("a shared", isinstance(address, IPv4Address) and address in _SHARED),
        ("a reserved", _is_reserved(address)),
        ("a private", address.is_private),
        ("a reserved", not address.is_global),
    )
    return next((kind for kind, is_so in kinds if is_so), None)


def _is_reserved(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _CLOSED_4)
    unique_local = address.packed[0] & 0xFE == 0xFC
    return any(address in network for network in _CLOSED_6) or not (unique_local or address in _GLOBAL_6)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 address that an IPv6 address carries."""
    if isinstance(address, IPv4Address):
        return
    low = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped is not None or address in _TRANSLATED or any(address in network for network in _NAT64):
        yield low
    elif address in _6TO4:
        yield IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    elif address.teredo is not None:
        yield address.teredo[1]
    elif (address in _COMPATIBLE and int(address) > 1) or int(address) >> 32 & 0xFDFF_FFFF == 0x0000_5EFE:
        yield low
