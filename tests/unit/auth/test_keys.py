"""Which published keys are taken, and that the others are refused, cheaply."""

import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from server.auth.errors import AuthMisconfiguredError, KeysRefusedError
from server.auth.keys import KEYS_MAX, parse_key_document, published_key, shared_secret_key
from server.auth.testing import SECRET, StubProject, encoded


def document_of(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def published(project: StubProject, kid: str, /, **changes: Any) -> dict[str, Any]:
    key = next(key for key in project.key_document()["keys"] if key["kid"] == kid)
    return {name: value for name, value in (key | changes).items() if value is not ...}


def number(value: int, size: int | None = None) -> str:
    return encoded(value.to_bytes(size or (value.bit_length() + 7) // 8)).decode()


def test_published_keys_are_bound_to_their_algorithms(project: StubProject) -> None:
    keys, passed_over = parse_key_document(json.dumps(project.key_document()).encode())

    assert {kid: key.alg for kid, key in keys.items()} == {"ec-key": "ES256", "rsa-key": "RS256"}
    assert passed_over == 0


@pytest.mark.parametrize("absent", ["alg", "use", "key_ops"])
@pytest.mark.parametrize("kid", ["ec-key", "rsa-key"])
def test_key_that_leaves_out_what_is_optional_is_taken(project: StubProject, kid: str, absent: str) -> None:
    key = published(project, kid, **{absent: ...})

    assert published_key(key).alg == published(project, kid)["alg"]


EC_CHANGES: dict[str, dict[str, Any]] = {
    "for encryption": {"use": "enc"},
    "use null": {"use": None},
    "key_ops without verify": {"key_ops": ["sign"]},
    "key_ops a string": {"key_ops": "verify"},
    "alg of another type": {"alg": "RS256"},
    "alg of a shared secret": {"alg": "HS256"},
    "alg null": {"alg": None},
    "alg a list": {"alg": ["ES256"]},
    "kty absent": {"kty": ...},
    "kty of a shared secret": {"kty": "oct", "k": "AAAA"},
    "kty OKP": {"kty": "OKP", "crv": "Ed25519"},
    "kty a list": {"kty": ["EC"]},
    "private half": {"d": "AAAA"},
    "curve P-384": {"crv": "P-384", "alg": "ES256"},
    "curve secp256k1": {"crv": "secp256k1"},
    "curve absent": {"crv": ...},
    "x absent": {"x": ...},
    "x a number": {"x": 5},
    "x short": {"x": "AAAA"},
    "x long": {"x": "A" * 44},
    "x of a megabyte": {"x": "A" * 2**20},
    "x not on the curve": {"x": number(5, 32)},
    "x beyond the field": {"x": number(2**256 - 1, 32)},
    "the point at zero": {"x": number(0, 32), "y": number(0, 32)},
    "x not base64url": {"x": "+" * 43},
    "x not ASCII": {"x": "é" * 43},
}

RSA_CHANGES: dict[str, dict[str, Any]] = {
    "for encryption": {"use": "enc"},
    "alg of another type": {"alg": "ES256"},
    "alg PS256": {"alg": "PS256"},
    "alg RS1": {"alg": "RS1"},
    "private half": {"d": "AAAA", "p": "AAAA", "q": "AAAA"},
    "n absent": {"n": ...},
    "n empty": {"n": ""},
    "n a number": {"n": 2**2048 + 1},
    "n one": {"n": number(1)},
    "n of 1024 bits": {"n": number(2**1023 + 1)},
    "n of 2047 bits": {"n": number(2**2046 + 1)},
    "n of 4097 bits": {"n": number(2**4096 + 1)},
    "n of 16,384 bits": {"n": number(2**16383 + 1)},
    "n of 500,000 bits": {"n": number(2**499_999 + 1)},
    "n even": {"n": number(2**2047)},
    "n padded": {"n": number(2**2047 + 1) + "=="},
    "e absent": {"e": ...},
    "e zero": {"e": "AA"},
    "e one": {"e": "AQ"},
    "e three": {"e": "Aw"},
    "e even": {"e": number(2**20)},
    "e of 33 bits": {"e": number(2**32 + 1)},
    "e of 2,048 bits": {"e": number(2**2047 + 1)},
}


@pytest.mark.parametrize("change", EC_CHANGES)
def test_unfit_ec_key_is_refused_beside_the_fit_one(project: StubProject, change: str) -> None:
    with pytest.raises(KeysRefusedError):
        published_key(published(project, "ec-key", **EC_CHANGES[change]))
    assert published_key(published(project, "ec-key")).alg == "ES256"


@pytest.mark.parametrize("change", RSA_CHANGES)
def test_unfit_rsa_key_is_refused_beside_the_fit_one(project: StubProject, change: str) -> None:
    with pytest.raises(KeysRefusedError):
        published_key(published(project, "rsa-key", **RSA_CHANGES[change]))
    assert published_key(published(project, "rsa-key")).alg == "RS256"


@pytest.mark.parametrize("key_bits", [2048, 3072, 4096])
def test_rsa_of_every_allowed_size_is_taken(key_bits: int) -> None:
    entry = {"kty": "RSA", "n": number(2 ** (key_bits - 1) + 1), "e": "AQAB"}

    assert published_key(entry).alg == "RS256"


@pytest.mark.parametrize(
    "other",
    [{"use": "enc"}, {"kid": ...}, {"kid": 5}, {"kid": "k" * 257}, {"kid": ""}, {"kty": "oct"}, {"crv": "P-521"}],
    ids=lambda other: str(other)[:24],
)
def test_unfit_key_is_passed_over_and_the_others_are_taken(project: StubProject, other: dict[str, Any]) -> None:
    unfit = published(project, "ec-key", **({"kid": "unfit"} | other))

    keys, passed_over = parse_key_document(document_of(unfit, published(project, "rsa-key")))

    assert set(keys) == {"rsa-key"}
    assert passed_over == 1


def test_project_without_published_keys_is_no_error() -> None:
    assert parse_key_document(b'{"keys":[]}') == ({}, 0)


DOCUMENTS: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"<html>busy</html>",
    "not UTF-8": b'{"keys":[],"a":"\xff"}',
    "in UTF-16": '{"keys":[]}'.encode("utf-16"),
    "a list": b"[]",
    "null": b"null",
    "without keys": b"{}",
    "keys null": b'{"keys":null}',
    "keys an object": b'{"keys":{}}',
    "keys of strings": b'{"keys":["ec"]}',
    "keys twice": b'{"keys":[],"keys":[]}',
    "nested 30,000 deep": b'{"keys":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "nested 30,000 deep, open": b"[" * 60_000,
    "a number of 60,000 digits": b'{"keys":[],"a":' + b"9" * 60_000 + b"}",
    "not one usable key": b'{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}',
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_hostile_document_is_refused_within_milliseconds(kind: str) -> None:
    began = time.thread_time()

    with pytest.raises(KeysRefusedError):
        parse_key_document(DOCUMENTS[kind])

    assert time.thread_time() - began < 0.05


def test_document_with_a_kid_twice_is_refused_whole(project: StubProject) -> None:
    twice = document_of(published(project, "ec-key"), published(project, "rsa-key", kid="ec-key"))

    with pytest.raises(KeysRefusedError):
        parse_key_document(twice)


def test_document_may_hold_sixteen_keys_and_not_seventeen(project: StubProject) -> None:
    many = [published(project, "ec-key", kid=f"key-{n}") for n in range(KEYS_MAX + 1)]

    assert len(parse_key_document(document_of(*many[:-1]))[0]) == KEYS_MAX
    with pytest.raises(KeysRefusedError):
        parse_key_document(document_of(*many))


def test_sixteen_of_the_most_costly_keys_are_read_within_milliseconds() -> None:
    largest = [
        {"kid": f"key-{n}", "kty": "RSA", "n": number(2**4096 - 2 * n - 1), "e": "AQAB"} for n in range(KEYS_MAX)
    ]
    began = time.thread_time()

    keys, _ = parse_key_document(document_of(*largest))

    assert len(keys) == KEYS_MAX
    assert time.thread_time() - began < 0.05


def test_shared_secret_must_be_32_bytes_and_must_not_be_a_key(project: StubProject) -> None:
    for key in (project.ec_key, project.rsa_key):
        pem = public_pem(key.public_key())
        with pytest.raises(AuthMisconfiguredError):
            shared_secret_key(pem)
    with pytest.raises(AuthMisconfiguredError):
        shared_secret_key("s" * 31)

    assert shared_secret_key("s" * 32).alg == "HS256"
    assert shared_secret_key("é" * 16).alg == "HS256"


def test_repr_of_a_key_shows_no_secret() -> None:
    assert SECRET not in repr(shared_secret_key(SECRET))


def public_pem(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
