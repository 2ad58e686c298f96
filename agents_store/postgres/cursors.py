"""Opaque cursors of keyset pages: the last id of a page, marked with the list that it belongs to."""

import base64
import binascii
import zlib

_ID_BYTES = 16
_SUM_BYTES = 4


def encode_cursor(listing: str, last_id: int) -> str:
    """The cursor that continues `listing` after `last_id`: 0 to 2**128 - 1."""
    raw = last_id.to_bytes(_ID_BYTES, "big")
    return base64.urlsafe_b64encode(raw + _checksum(listing, raw)).decode().rstrip("=")


def decode_cursor(listing: str, cursor: str) -> int:
    """The id that `cursor` continues after.

    Raises:
        ValueError: `encode_cursor` did not make it for this listing.
    """
    try:
        whole = base64.b64decode(cursor.encode("ascii") + b"=", altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise ValueError("not a cursor") from exc
    raw = whole[:_ID_BYTES]
    last_id = int.from_bytes(raw, "big")
    # One spelling only: base64 has several for the same bytes.
    if len(whole) != _ID_BYTES + _SUM_BYTES or cursor != encode_cursor(listing, last_id):
        raise ValueError("not a cursor of this list")
    return last_id


def _checksum(listing: str, raw: bytes) -> bytes:
    return zlib.crc32(listing.encode() + raw).to_bytes(_SUM_BYTES, "big")
