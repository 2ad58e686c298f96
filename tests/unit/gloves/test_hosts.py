import pytest

from server.gloves.hosts import HostError, Origin, read_host, read_pattern


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("api.example.com", "api.example.com"),
        ("API.Example.COM", "api.example.com"),
        ("https://api.example.com", "api.example.com"),
        ("https://api.example.com:443", "api.example.com"),
        ("api.example.com:8443", "api.example.com:8443"),
        ("http://api.example.com", "http://api.example.com"),
        ("http://api.example.com:80", "http://api.example.com"),
        ("*.example.com", "*.example.com"),
        ("http://*.example.com:8080", "http://*.example.com:8080"),
        ("93.184.216.34", "93.184.216.34"),
        ("[2606:4700:0000::1111]", "[2606:4700::1111]"),
        ("http://[2606:4700::1111]:8080", "http://[2606:4700::1111]:8080"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_pattern_has_one_spelling(text: str, canonical: str) -> None:
    pattern = read_pattern(text)

    assert str(pattern) == canonical
    assert read_pattern(str(pattern)) == pattern


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.com",
        "*.*.example.com",
        "api.*.com",
        "*example.com",
        "*.93.184.216.34",
        "*.[::1]",
        "ftp://example.com",
        "https://example.com/",
        "https://example.com/path",
        "example.com?x",
        "example.com#x",
        "user@example.com",
        "user:password@example.com",
        "example.com:",
        "example.com:0",
        "example.com:080",
        "example.com:65536",
        "example.com:999999",
        "example.com:port",
        "example.com.",
        ".example.com",
        "example..com",
        "-example.com",
        "example-.com",
        "exa mple.com",
        "example.com ",
        "example.com\n",
        "exam\0ple.com",
        "example.com\\evil.com",
        "a" * 64 + ".com",
        ".".join(["a" * 60] * 5),
        "a" * 300,
        "127.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.0x4",
        "[::1",
        "::1",
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[1.2.3.4]",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "\u24d4xample.com",
        "exam\u00adple.com",
        "exam\u200bple.com",
        "example\u2024com",
        "\u017f.example.com",
        "xn--\u00e4.example.com",
    ],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(HostError):
        read_pattern(text)


@pytest.mark.parametrize(
    ("pattern", "origin", "matches"),
    [
        ("api.example.com", Origin("https", "api.example.com", 443), True),
        ("api.example.com", Origin("http", "api.example.com", 80), False),
        ("api.example.com", Origin("http", "api.example.com", 443), False),
        ("api.example.com", Origin("https", "api.example.com", 8443), False),
        ("api.example.com", Origin("https", "v2.api.example.com", 443), False),
        ("api.example.com", Origin("https", "api.example.com.evil.com", 443), False),
        ("*.example.com", Origin("https", "api.example.com", 443), True),
        ("*.example.com", Origin("https", "v2.api.example.com", 443), True),
        ("*.example.com", Origin("https", "example.com", 443), False),
        ("*.example.com", Origin("https", "evilexample.com", 443), False),
        ("*.example.com", Origin("https", "example.com.evil.com", 443), False),
        ("http://127.0.0.1:8080", Origin("http", "127.0.0.1", 8080), True),
        ("http://127.0.0.1:8080", Origin("http", "127.0.0.1", 8081), False),
    ],
)
def test_scheme_port_and_every_label_count(pattern: str, origin: Origin, matches: bool) -> None:
    assert read_pattern(pattern).matches(origin) is matches


def test_hosts_are_compared_in_lower_case() -> None:
    assert read_host("API.Example.com") == read_host("api.example.COM") == "api.example.com"
