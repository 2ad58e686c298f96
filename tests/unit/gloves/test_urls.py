import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.gloves.hosts import HostError, read_host
from server.gloves.urls import URL_CHARS_MAX, UrlError, join_url, read_url, with_params


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://api.example.com", "https://api.example.com/"),
        ("HTTPS://API.example.com:443", "https://api.example.com/"),
        ("http://api.example.com:80/a", "http://api.example.com/a"),
        ("http://api.example.com:8080?x=1", "http://api.example.com:8080/?x=1"),
        ("https://api.example.com/a b?q=städte", "https://api.example.com/a%20b?q=st%C3%A4dte"),
        ("https://api.example.com/a#fragment", "https://api.example.com/a"),
        ("https://api.example.com/%41%zz?%", "https://api.example.com/%41%25zz?%25"),
        ("https://api.example.com/@user:x", "https://api.example.com/@user:x"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ('https://api.example.com/?q="<>^`{|}', "https://api.example.com/?q=%22%3C%3E%5E%60%7B%7C%7D"),
    ],
)
def test_a_url_has_one_spelling(text: str, canonical: str) -> None:
    url = read_url(text)

    assert str(url) == canonical
    assert read_url(canonical) == url


TRICKS = [
    "",
    "/",
    "api.example.com",
    "//api.example.com/",
    "https:/api.example.com/",
    "https:api.example.com",
    "https:///api.example.com",
    "https://",
    "https://?x",
    "ftp://api.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    " https://api.example.com/",
    "https://api.example.com/ ",
    "https://api.example.com/\n",
    "https://api.example.com/\r\nHost: evil",
    "https://api.example.com/\tx",
    "https://api.example.com/\0",
    "https://api.example.com\0.evil.com/",
    "https://api.example.com/\ufffd",
    "https://api.example.com/\u2028",
    "https://api.example.com\\@127.0.0.1/",
    "https://127.0.0.1\\.example.com/",
    "https://api.example.com/\\x",
    "https://user@api.example.com/",
    "https://user:password@api.example.com/",
    "https://api.example.com@127.0.0.1/",
    "https://api.example.com:443@127.0.0.1/",
    "https://api.example.com%40127.0.0.1/",
    "https://api.example.com%2f@127.0.0.1/",
    "https://127.0.0.1%23.example.com/",
    "https://api%2eexample.com/",
    "https://api.example.com:/",
    "https://api.example.com:0/",
    "https://api.example.com:65536/",
    "https://api.example.com:-1/",
    "https://api.example.com:+443/",
    "https://api.example.com:4 43/",
    "https://api.example.com:\u0664\u0664\u0663/",
    "https://api.example.com:443:80/",
    "https://api.example.com./",
    "https://api..example.com/",
    "https://.api.example.com/",
    "https://[::1/",
    "https://::1/",
    "https://[::1%25lo]/",
    "https://[::1%lo]/",
    "https://[v1.fe]/",
    "https://[127.0.0.1]/",
    "https://[::1].example.com/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://00000177.0.0.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://127.0.0.1.1/",
    "http://127.0.0.256/",
    "http://127.0.0.1./",
    "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
    "http://127\u30020\u30020\u30021/",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "http://localhost\u00ad/",
    "http://loc\u200balhost/",
    "http://api.example.com\u2044@evil.com/",
    "http://api.example.com\uff0fevil.com/",
    "http://api.example.com\uff03.evil.com/",
    "http://\ud800.example.com/",
    "https://" + "a" * 64 + ".example.com/",
    "https://api.example.com/" + "a" * URL_CHARS_MAX,
]


@pytest.mark.parametrize("text", TRICKS)
def test_what_two_parsers_may_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(UrlError):
        read_url(text)


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("https://other.example.com/x", "https://other.example.com/x"),
        ("//other.example.com/x", "https://other.example.com/x"),
        ("/x", "https://api.example.com/x"),
        ("x?y=1", "https://api.example.com/a/x?y=1"),
        ("?y=1", "https://api.example.com/a/b?y=1"),
        ("../x", "https://api.example.com/x"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
    ],
)
def test_a_redirect_leads_where_its_reference_says(reference: str, target: str) -> None:
    assert str(join_url(read_url("https://api.example.com/a/b"), reference)) == target


@pytest.mark.parametrize(
    "reference", ["https://user@other.example.com/", "ftp://x/", "https://\\x/", "/\n", "\0", "/\x80", "a" * 9_000]
)
def test_a_redirect_to_what_is_no_url_is_refused(reference: str) -> None:
    with pytest.raises(UrlError):
        join_url(read_url("https://api.example.com/a/b"), reference)


def test_parameters_are_added_to_what_is_there() -> None:
    url = read_url("https://api.example.com/a?x=1")

    assert with_params(url, [("q", "a&b c"), ("ü", "~")]).query == "x=1&q=a%26b+c&%C3%BC=%7E"
    assert with_params(url, []) == url


@given(st.text(max_size=60))
def test_whatever_is_read_stays_what_it_is(text: str) -> None:
    """The host that is compared is the host that is sent and dialled, in one spelling."""
    try:
        url = read_url(f"https://{text}")
    except UrlError:
        return
    assert read_url(str(url)) == url
    assert str(url).isascii()
    assert not set(str(url)) & set(" \t\r\n\0\\")


@given(st.text(max_size=40))
def test_whatever_is_a_host_stays_what_it_is(text: str) -> None:
    try:
        host = read_host(text)
    except HostError:
        return
    assert read_host(f"[{host}]" if ":" in host else host) == host
