"""Base64url in its one canonical spelling."""

import base64


def decode(text: str) -> bytes:
    """Decode base64url without padding, refusing every second spelling of the same bytes.

    Args:
        text: the caller has bounded its length.

    Returns:
        At least one byte.

    Raises:
        ValueError: empty, padded, another alphabet, stray characters, or last bits that are not zero.

    Source: RFC 4648 sections 3.5 and 5; RFC 7515 section 2.
    """
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # The decoder skips what is not in its alphabet; encoding again finds that, and loose last bits.
    if not raw or base64.urlsafe_b64encode(raw).rstrip(b"=") != text.encode():
        raise ValueError("not canonical base64url")
    return raw
