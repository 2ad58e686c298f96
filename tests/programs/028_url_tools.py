"""Normalise URLs, strip tracking parameters and build signed-looking links."""

from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

TRACKING = {"gclid", "fbclid", "ref"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def is_tracking(name):
    return name in TRACKING or name.startswith("utm_")


def normalise(url):
    parts = urlsplit(url.strip())
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise ValueError(f"unsupported scheme: {scheme or 'none'}")
    host = (parts.hostname or "").rstrip(".")
    netloc = host
    if parts.port and parts.port != DEFAULT_PORTS[scheme]:
        netloc += f":{parts.port}"
    query = sorted((k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not is_tracking(k))
    path = quote(unquote(parts.path), safe="/-._~") or "/"
    return urlunsplit((scheme, netloc, path, urlencode(query), ""))


def run(inputs):
    seen, duplicates, errors = {}, [], {}
    for url in inputs["urls"]:
        try:
            clean = normalise(url)
        except ValueError as e:
            errors[url] = str(e)
            continue
        if clean in seen:
            duplicates.append(url)
        seen.setdefault(clean, url)
    base = next(iter(seen))
    return {
        "clean": list(seen),
        "duplicates": duplicates,
        "errors": errors,
        "joined": [urljoin(base, link) for link in inputs["links"]],
        "hosts": sorted({urlsplit(u).netloc for u in seen}),
    }

# inputs: {"urls": ["HTTPS://Example.org:443/a b/?utm_source=x&b=2&a=1#top", "https://example.org/a%20b/?a=1&b=2", "http://example.org:8080?q=caf%C3%A9", "ftp://example.org/x", "example.org/plain"], "links": ["../c", "/d?e=f", "//other.example/g", "h.html"]}
# expect: {"clean": ["https://example.org/a%20b/?a=1&b=2", "http://example.org:8080/?q=caf%C3%A9"], "duplicates": ["https://example.org/a%20b/?a=1&b=2"], "errors": {"ftp://example.org/x": "unsupported scheme: ftp", "example.org/plain": "unsupported scheme: none"}, "joined": ["https://example.org/c", "https://example.org/d?e=f", "https://other.example/g", "https://example.org/a%20b/h.html"], "hosts": ["example.org", "example.org:8080"]}
