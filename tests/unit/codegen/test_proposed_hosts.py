"""A model may want any host; only the caller names one."""

from server.codegen.orders import proposed_hosts


def test_hosts_that_the_caller_named_are_not_proposed_again() -> None:
    allowed = ["api.example.com", "*.example.org", "http://example.net:8080"]
    wanted = [
        "API.example.com",
        "https://api.example.com",
        "cdn.example.org",
        "*.example.org",
        "http://example.net:8080",
    ]

    assert proposed_hosts(wanted, allowed) == []


def test_other_schemes_ports_and_names_are_other_hosts() -> None:
    wanted = ["http://api.example.com", "api.example.com:8443", "example.com", "*.example.com", "example.com"]

    assert proposed_hosts(wanted, ["api.example.com"]) == [
        "http://api.example.com",
        "api.example.com:8443",
        "example.com",
        "*.example.com",
    ]


def test_what_is_no_host_is_not_proposed() -> None:
    assert proposed_hosts(["", "*", "not a host", "0x7f.1", "a/b", "user@host", "[::1%25eth0]"], []) == []
