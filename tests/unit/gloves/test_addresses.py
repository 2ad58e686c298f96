from ipaddress import ip_address

import pytest

from server.gloves.addresses import closed_reason

OPEN = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"]
NEVER = [
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "0.1.2.3",
    "169.254.169.254",
    "169.254.1.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "fd00:ec2::254",
    "100::1",
    "2001:db8::1",
    "2001:2::1",
    "2001:10::1",
    "3fff::1",
    "5f00::1",
    "4000::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "::8.8.8.8",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::10.0.0.1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2606:4700::5efe:127.0.0.1",
    "2606:4700::200:5efe:127.0.0.1",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "::1",
    "fc00::1",
    "fdff::1",
]


@pytest.mark.parametrize("text", OPEN)
def test_the_open_internet_is_dialled(text: str) -> None:
    assert closed_reason(ip_address(text)) is None


@pytest.mark.parametrize("text", NEVER)
def test_what_is_no_place_of_the_internet_is_never_dialled(text: str) -> None:
    assert closed_reason(ip_address(text)) is not None
    assert closed_reason(ip_address(text), private_allowed=True) is not None


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_dialled_only_where_the_operator_opened_them(text: str) -> None:
    assert closed_reason(ip_address(text)) is not None
    assert closed_reason(ip_address(text), private_allowed=True) is None
