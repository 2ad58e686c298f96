"""Every kind of hostile token is refused, by a verifier that takes the good ones beside it."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from jose import jwk

from server.auth.errors import Reason, UnauthenticatedError
from server.auth.testing import ABSENT, SECRET, USER_ID, StubProject, assemble, encoded
from server.auth.token import TOKEN_BYTES_MAX, parse_token

Forger = Callable[[StubProject], str]

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def with_header(**changes: Any) -> Forger:
    return lambda project: project.token(header=changes)


def with_raw_header(raw: bytes) -> Forger:
    return lambda project: project.signed(raw, dumped(project.claims()))


def with_payload(make: Callable[[bytes], bytes]) -> Forger:
    """A genuine signature over a payload that is made out of the good one."""
    header = b'{"alg":"ES256","kid":"ec-key"}'
    return lambda project: project.signed(header, make(dumped(project.claims())))


def with_part(index: int, change: Callable[[str], str]) -> Forger:
    def forge(project: StubProject) -> str:
        parts = project.token().split(".")
        parts[index] = change(parts[index])
        return ".".join(parts)

    return forge


def with_loose_bits(part: str) -> str:
    """Spell the same bytes a second way: set the last character's unused bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4 in (2, 3), "every bit of the last character is in use"
    return part[:-1] + alphabet[alphabet.index(part[-1]) + 1]


def in_full_groups_plus_one(payload: bytes) -> bytes:
    """Pad JSON with blanks until its last base64 character has unused bits."""
    return payload + b" " * ((1 - len(payload)) % 3)


def loose_payload(project: StubProject) -> str:
    header = b'{"alg":"ES256","kid":"ec-key"}'
    part = with_loose_bits(encoded(in_full_groups_plus_one(dumped(project.claims()))).decode())
    signing_input = encoded(header) + b"." + part.encode()
    return (signing_input + b"." + encoded(project.signing_keys["ec-key"][1].sign(signing_input))).decode()


def twice(name: str, value: Any) -> Callable[[bytes], bytes]:
    return lambda payload: payload[:-1] + b"," + dumped({name: value})[1:]


def unsigned(alg: str, signature: bytes = b"") -> Forger:
    def forge(project: StubProject) -> str:
        return assemble(dumped({"alg": alg, "kid": "ec-key"}), dumped(project.claims()), lambda _: signature)

    return forge


MALFORMED: dict[str, Forger] = {
    **{f"alg {alg}, no signature": unsigned(alg) for alg in ("none", "None", "NONE", "nOnE", "ES256")},
    "no dot": lambda project: project.token().replace(".", ""),
    "one dot": lambda project: project.token().rpartition(".")[0],
    "four parts": lambda project: project.token() + ".AAAA",
    "five parts, as an encrypted token": lambda project: project.token() + ".AAAA.AAAA",
    "only dots": lambda _: "..",
    "header empty": with_part(0, lambda _: ""),
    "payload empty": with_part(1, lambda _: ""),
    "signature empty": with_part(2, lambda _: ""),
    "header padded": with_part(0, lambda part: part + "="),
    "payload padded": with_part(1, lambda part: part + "=="),
    "signature padded": with_part(2, lambda part: part + "=="),
    "signature of another alphabet": with_part(2, lambda part: "+/" + part[2:]),
    "signature of an impossible length": with_part(2, lambda part: part[:-1]),
    "signature with loose last bits": with_part(2, with_loose_bits),
    "payload with loose last bits": loose_payload,
    "line break in the signature": with_part(2, lambda part: part[:20] + "\n" + part[20:]),
    "line break at the end": lambda project: project.token() + "\n",
    "NUL at the end": lambda project: project.token() + "\0",
    "tab in the header": with_part(0, lambda part: part + "\t"),
    "percent-encoded": with_part(1, lambda part: "%65" + part),
    "header of 2,000 nested lists": with_raw_header(b"[" * 2000 + b"]" * 2000),
    "header of 2,000 open lists": with_raw_header(b"[" * 2000),
    "header with nested objects": with_raw_header(b'{"alg":"ES256","kid":"ec-key","a":{"a":{"a":{"a":{}}}}}'),
    "payload of 2,000 nested lists": with_payload(lambda good: good[:-1] + b',"a":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "payload of 1,000 nested objects": with_payload(
        lambda good: good[:-1] + b',"a":' + b'{"":' * 1000 + b"1" + b"}" * 1001
    ),
    "header a list": with_raw_header(b'["ES256"]'),
    "header a string": with_raw_header(b'"ES256"'),
    "header a number": with_raw_header(b"1"),
    "header null": with_raw_header(b"null"),
    "header not JSON": with_raw_header(b"{alg:ES256}"),
    "header not UTF-8": with_raw_header(b'{"alg":"ES256","kid":"ec-key","a":"\xff"}'),
    "header in UTF-16": with_raw_header('{"alg":"ES256","kid":"ec-key"}'.encode("utf-16")),
    "header with a byte order mark": with_raw_header(b'\xef\xbb\xbf{"alg":"ES256","kid":"ec-key"}'),
    "header with more behind it": with_raw_header(b'{"alg":"ES256","kid":"ec-key"}{}'),
    "alg twice": with_raw_header(b'{"alg":"none","alg":"ES256","kid":"ec-key"}'),
    "kid twice": with_raw_header(b'{"alg":"ES256","kid":"other","kid":"ec-key"}'),
    "alg twice, once escaped": with_raw_header(b'{"alg":"none","\\u0061lg":"ES256","kid":"ec-key"}'),
    "payload a list": with_payload(lambda good: b"[" + good + b"]"),
    "payload a string": with_payload(lambda _: b'"authenticated"'),
    "payload null": with_payload(lambda _: b"null"),
    "payload not JSON": with_payload(lambda good: good[:-1]),
    "payload not UTF-8": with_payload(lambda good: good[:-1] + b',"a":"\xc3\x28"}'),
    "payload in UTF-16": with_payload(lambda good: good.decode().encode("utf-16-le")),
    "payload in UTF-32": with_payload(lambda good: good.decode().encode("utf-32-be")),
    "payload with NaN": with_payload(lambda good: good[:-1] + b',"a":NaN}'),
    "payload with Infinity": with_payload(lambda good: good[:-1] + b',"a":-Infinity}'),
    "payload with a number of 5,000 digits": with_payload(lambda good: good[:-1] + b',"a":' + b"9" * 5000 + b"}"),
    "sub twice": with_payload(twice("sub", str(USER_ID))),
    "exp twice": with_payload(twice("exp", 2**40)),
    "role twice": with_payload(twice("role", "authenticated")),
    "a nested name twice": with_payload(lambda good: good[:-1] + b',"app_metadata":{"a":1,"a":2}}'),
}

MEMBERS: dict[str, Forger] = {
    "alg absent": with_header(alg=ABSENT),
    "alg null": with_header(alg=None),
    "alg empty": with_header(alg=""),
    "alg a number": with_header(alg=256),
    "alg true": with_header(alg=True),
    "alg a list": with_header(alg=["ES256"]),
    "alg an object": with_header(alg={"ES256": 1}),
    "crit": with_header(crit=["exp"]),
    "crit empty": with_header(crit=[]),
    "crit null": with_header(crit=None),
    "jwk of the attacker": with_header(jwk={"kty": "oct", "k": "AAAA"}),
    "jku of the attacker": with_header(jku="http://127.0.0.1:9/jwks.json"),
    "x5u of the attacker": with_header(x5u="http://127.0.0.1:9/cert.pem"),
    "x5c of the attacker": with_header(x5c=["AAAA"]),
    "x5t": with_header(x5t="AAAA"),
    "x5t#S256": with_header(**{"x5t#S256": "AAAA"}),
    "b64 false": with_header(b64=False),
    "cty of a nested token": with_header(cty="JWT"),
    "zip": with_header(zip="DEF"),
    "enc": with_header(enc="A256GCM"),
    "typ of another kind of token": with_header(typ="at+jwt"),
    "typ null": with_header(typ=None),
    "typ a number": with_header(typ=1),
    "kid null": with_header(kid=None),
    "kid a number": with_header(kid=1),
    "kid a list": with_header(kid=["ec-key"]),
    "kid an object": with_header(kid={"kid": "ec"}),
    "kid empty": with_header(kid=""),
    "kid of 257 characters": with_header(kid="k" * 257),
}


def hmac_signed(secret: Callable[[StubProject], bytes], kid: str | None = None, digest: str = "sha256") -> Forger:
    """A token that says HS256 and whose "secret" is something that everybody knows."""

    def forge(project: StubProject) -> str:
        header = {"alg": "HS" + digest[3:]} | ({} if kid is None else {"kid": kid})
        key = secret(project)
        return assemble(dumped(header), dumped(project.claims()), lambda text: hmac.digest(key, text, digest))

    return forge


Encoding, Form = serialization.Encoding, serialization.PublicFormat


def public_half(
    kid: str, encoding: serialization.Encoding, form: serialization.PublicFormat
) -> Callable[[StubProject], bytes]:
    def published(project: StubProject) -> bytes:
        key = project.ec_key.public_key() if kid == "ec-key" else project.rsa_key.public_key()
        return key.public_bytes(encoding, form)

    return published


def public_jwk(kid: str) -> Callable[[StubProject], bytes]:
    return lambda project: dumped(next(key for key in project.key_document()["keys"] if key["kid"] == kid))


def says(alg: str, kid: str | None, signed_by: str | None = "ec-key") -> Forger:
    """A token whose header names another algorithm or key than the one that signed it."""
    header = {"alg": alg} | ({} if kid is None else {"kid": kid})
    return lambda project: project.signed(dumped(header), dumped(project.claims()), signed_by)


CONFUSION: dict[str, Forger] = {
    **{f"alg {alg}, some signature": unsigned(alg, b"x" * 64) for alg in ("none", "None", "NONE", "nOnE", "none ")},
    **{
        f"HS256 with the {signer} as {name}, kid {kid}": hmac_signed(public_half(signer, *as_written), kid)
        for signer, name, as_written in (
            ("ec-key", "PEM", (Encoding.PEM, Form.SubjectPublicKeyInfo)),
            ("ec-key", "DER", (Encoding.DER, Form.SubjectPublicKeyInfo)),
            ("ec-key", "point", (Encoding.X962, Form.UncompressedPoint)),
            ("rsa-key", "PEM", (Encoding.PEM, Form.SubjectPublicKeyInfo)),
            ("rsa-key", "DER", (Encoding.DER, Form.SubjectPublicKeyInfo)),
            ("rsa-key", "PKCS1 PEM", (Encoding.PEM, Form.PKCS1)),
            ("rsa-key", "PKCS1 DER", (Encoding.DER, Form.PKCS1)),
        )
        for kid in (signer, None, "other")
    },
    "HS256 with the EC key as JWK": hmac_signed(public_jwk("ec-key"), "ec-key"),
    "HS256 with the RSA key as JWK": hmac_signed(public_jwk("rsa-key"), "rsa-key"),
    "HS256 with an empty secret": hmac_signed(lambda _: b""),
    "HS256 with the kid as secret": hmac_signed(lambda _: b"ec-key", "ec-key"),
    "HS256 with a guessed secret": hmac_signed(lambda _: b"super-secret-jwt-token-with-at-least-32-characters-long"),
    "HS256 with the secret, kid of a published key": hmac_signed(lambda _: SECRET.encode(), "ec-key"),
    "HS384 with the secret": hmac_signed(lambda _: SECRET.encode(), digest="sha384"),
    "HS512 with the secret": hmac_signed(lambda _: SECRET.encode(), digest="sha512"),
    **{f"secret's signature, alg {alg!r}": says(alg, None, None) for alg in ("hs256", "HS256 ", "HS256,ES256", "HS")},
    **{
        f"EC signature, alg {alg}": says(alg, "ec-key")
        for alg in ("es256", "ES384", "ES512", "ES256K", "EdDSA", "RS256", "HS256", "dir", "RSA-OAEP", "A256KW")
    },
    **{
        f"RSA signature, alg {alg}": says(alg, "rsa-key", "rsa-key")
        for alg in ("rs256", "RS384", "RS512", "PS256", "ES256", "HS256", "RSA1_5")
    },
    "EC signature, kid of the RSA key": says("ES256", "rsa-key"),
    "RSA signature, kid of the EC key": says("RS256", "ec-key", "rsa-key"),
    "EC signature without a kid": says("ES256", None),
    "RSA signature without a kid": says("RS256", None, "rsa-key"),
    **{
        f"kid {kid!r}": says("ES256", kid)
        for kid in ("other", "EC-KEY", "ec-key ", "../../dev/null", "' or 1=1 --", "ec-key\0", "\ud800")
    },
}


def signed_by_another_key(project: StubProject) -> str:
    other = jwk.construct(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "ES256",
    )
    return assemble(b'{"alg":"ES256","kid":"ec-key"}', dumped(project.claims()), other.sign)


def es256_signature(make: Callable[[StubProject, bytes], bytes]) -> Forger:
    header = b'{"alg":"ES256","kid":"ec-key"}'
    return lambda project: assemble(header, dumped(project.claims()), lambda text: make(project, text))


def der_signature(project: StubProject, text: bytes) -> bytes:
    return project.ec_key.sign(text, ec.ECDSA(hashes.SHA256()))


def overlong_signature(project: StubProject, text: bytes) -> bytes:
    r, s = utils.decode_dss_signature(der_signature(project, text))
    return r.to_bytes(33) + s.to_bytes(33)


def rsa_signature(make: Callable[[bytes], bytes]) -> Forger:
    header = b'{"alg":"RS256","kid":"rsa-key"}'
    return lambda project: assemble(header, dumped(project.claims()), make)


def flipped(part: str) -> str:
    raw = bytearray(base64.urlsafe_b64decode(part + "=="))
    raw[10] ^= 1
    return encoded(bytes(raw)).decode()


def transplanted(index: int, **changes: Any) -> Forger:
    """One part of one genuine token in another."""

    def forge(project: StubProject) -> str:
        parts, others = project.token().split("."), project.token(**changes).split(".")
        return ".".join(others[i] if i == index else part for i, part in enumerate(parts))

    return forge


SIGNATURES: dict[str, Forger] = {
    "one bit of the signature flipped": with_part(2, flipped),
    "signature cut by a group": with_part(2, lambda part: part[:-6]),
    "signature with more behind it": with_part(2, lambda part: part[:-2] + "AAAA"),
    "signature of another token": transplanted(2, jti="another"),
    "payload of another token": transplanted(1, sub="00000000-0000-4000-8000-000000000000"),
    "header of another token": transplanted(0, header={"extra": 1}),
    "another key under the same kid": signed_by_another_key,
    "ES256 with r = s = 0": es256_signature(lambda *_: bytes(64)),
    "ES256 with r = s = 1": es256_signature(lambda *_: (bytes(31) + b"\1") * 2),
    "ES256 with r = s = the order": es256_signature(lambda *_: P256_ORDER.to_bytes(32) * 2),
    "ES256 with all bits set": es256_signature(lambda *_: b"\xff" * 64),
    "ES256 as DER": es256_signature(der_signature),
    "ES256 of 66 bytes": es256_signature(overlong_signature),
    "ES256 of one byte": es256_signature(lambda *_: b"\0"),
    "ES256 that is a hash": es256_signature(lambda _, text: hashlib.sha256(text).digest() * 2),
    "RS256 of zeros": rsa_signature(lambda _: bytes(256)),
    "RS256 that is one": rsa_signature(lambda _: bytes(255) + b"\1"),
    "RS256 larger than the modulus": rsa_signature(lambda _: b"\xff" * 256),
    "RS256 too long": rsa_signature(lambda _: bytes(512)),
    "RS256 of one byte": rsa_signature(lambda _: b"\1"),
}


def claiming(**changes: Any) -> Forger:
    return lambda project: project.token(**changes)


def seconds_from_now(claim: str, seconds: int) -> Forger:
    return lambda project: project.token("ec-key", None, **{claim: int(time.time()) + seconds})


def raw_claim(name: str, value: bytes) -> Forger:
    """A claim that Python's own encoder would not write."""
    header = b'{"alg":"ES256","kid":"ec-key"}'

    def forge(project: StubProject) -> str:
        payload = dumped(project.claims(**{name: ABSENT}))
        return project.signed(header, payload[:-1] + b',"' + name.encode() + b'":' + value + b"}")

    return forge


NOT_ISSUERS: tuple[Any, ...] = (
    None,
    "",
    1,
    True,
    "https://project.supabase.co/auth/v1/",
    "https://project.supabase.co/auth/v1 ",
    "https://PROJECT.supabase.co/auth/v1",
    "http://project.supabase.co/auth/v1",
    "https://project.supabase.co",
    "https://project.supabase.co.evil.example/auth/v1",
    "supabase",
    ["https://project.supabase.co/auth/v1"],
    {"https://project.supabase.co/auth/v1": 1},
)

NOT_AUDIENCES: tuple[Any, ...] = (
    None,
    "",
    0,
    True,
    "anon",
    "Authenticated",
    "authenticated ",
    "authenticated,other",
    [],
    [[]],
    [["authenticated"]],
    ["other"],
    ["authenticated", "other"],
    ["authenticated", "authenticated"],
    ["authenticated", 1],
    {"authenticated": 1},
)

NOT_ROLES: tuple[Any, ...] = (
    None,
    "",
    True,
    "service_role",
    "anon",
    "supabase_admin",
    "postgres",
    "AUTHENTICATED",
    "authenticated\0",
    ["authenticated"],
    {"authenticated": 1},
)

NOT_UUIDS: tuple[Any, ...] = (
    None,
    "",
    1,
    True,
    "admin",
    str(USER_ID).upper(),
    USER_ID.hex,
    f"{{{USER_ID}}}",
    f"urn:uuid:{USER_ID}",
    f"{USER_ID}\n",
    f" {USER_ID}",
    f"{USER_ID}\0",
    f"{USER_ID}' or '1'='1",
    str(USER_ID).replace("-", "\u2010"),
    str(USER_ID).replace("0", "\u0660"),
    [str(USER_ID)],
    {"id": str(USER_ID)},
    "\ud800" * 36,
)

NOT_TIMES: dict[str, bytes] = {
    "null": b"null",
    "a string": b'"4102444800"',
    "a float": b"4102444800.5",
    "a whole float": b"4102444800.0",
    "infinite": b"1e999",
    "true": b"true",
    "a list": b"[4102444800]",
    "an object": b"{}",
    "beyond 64 bits": b"9223372036854775808",
    "of 400 digits": b"9" * 400,
    "negative": b"-1",
}

CLAIMS: dict[str, Forger] = {
    **{f"{name} {kind}": raw_claim(name, value) for name in ("exp", "nbf", "iat") for kind, value in NOT_TIMES.items()},
    "exp absent": claiming(exp=ABSENT),
    "exp zero": claiming(exp=0),
    "exp an hour ago": seconds_from_now("exp", -3600),
    "exp now": seconds_from_now("exp", 0),
    "nbf in a minute": seconds_from_now("nbf", 60),
    "nbf in a century": seconds_from_now("nbf", 3_155_760_000),
    "iat in a minute": seconds_from_now("iat", 60),
    **{f"iss {value!r}": claiming(iss=value) for value in NOT_ISSUERS},
    "iss absent": claiming(iss=ABSENT),
    **{f"aud {value!r}": claiming(aud=value) for value in NOT_AUDIENCES},
    "aud absent": claiming(aud=ABSENT),
    **{f"role {value!r}": claiming(role=value) for value in NOT_ROLES},
    "role absent": claiming(role=ABSENT),
    **{f"sub {value!r}": claiming(sub=value) for value in NOT_UUIDS},
    "sub absent": claiming(sub=ABSENT),
}

KINDS = MALFORMED | MEMBERS | CONFUSION | SIGNATURES | CLAIMS

REASONS: tuple[tuple[dict[str, Forger], set[Reason]], ...] = (
    (MALFORMED, {Reason.MALFORMED}),
    (MEMBERS, {Reason.ALGORITHM, Reason.HEADER}),
    (CONFUSION, {Reason.ALGORITHM, Reason.UNKNOWN_KEY, Reason.SIGNATURE}),
    (SIGNATURES, {Reason.SIGNATURE}),
)
REASONS_OF_CLAIMS = {
    "exp": {Reason.TIMES, Reason.EXPIRED},
    "nbf": {Reason.TIMES, Reason.NOT_YET_VALID},
    "iat": {Reason.TIMES, Reason.NOT_YET_VALID},
    "iss": {Reason.ISSUER},
    "aud": {Reason.AUDIENCE},
    "role": {Reason.ROLE},
    "sub": {Reason.SUBJECT},
}


def reasons(kind: str) -> set[Reason]:
    """Why a token of this kind may be refused: for what makes it hostile, and not by accident for something else."""
    if kind in CLAIMS:
        return REASONS_OF_CLAIMS[kind.split()[0]]
    return next(allowed for kinds, allowed in REASONS if kind in kinds)


def test_there_are_enough_kinds_and_no_two_share_a_name() -> None:
    assert len(KINDS) == sum(map(len, (MALFORMED, MEMBERS, CONFUSION, SIGNATURES, CLAIMS)))
    assert len(KINDS) >= 230


@pytest.mark.parametrize("kind", KINDS)
async def test_hostile_token_is_refused_where_a_good_one_is_taken(project: StubProject, kind: str) -> None:
    verifier, _ = project.verifier()
    good, hostile = project.token(), KINDS[kind](project)

    with pytest.raises(UnauthenticatedError) as refused:
        await verifier.authenticate(f"Bearer {hostile}")

    assert refused.value.reason in reasons(kind)
    assert refused.value.__context__ is None
    assert not [part for part in hostile.split(".") if len(part) > 8 and part in repr(refused.value)]
    assert (await verifier.authenticate(f"Bearer {good}")).user_id == USER_ID


@pytest.mark.parametrize("kind", MALFORMED | MEMBERS)
def test_malformed_token_never_reaches_python_jose(project: StubProject, kind: str) -> None:
    hostile = (MALFORMED | MEMBERS)[kind](project)

    with pytest.raises(UnauthenticatedError):
        parse_token(hostile)
    assert parse_token(project.token()).alg == "ES256"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("kid ")])
async def test_hostile_token_asks_the_issuer_nothing(project: StubProject, kind: str) -> None:
    verifier, keys = project.verifier()

    with pytest.raises(UnauthenticatedError):
        await verifier.authenticate(f"Bearer {KINDS[kind](project)}")

    assert keys.asked == 0


async def test_only_a_token_that_could_pass_asks_the_issuer_for_its_key(project: StubProject) -> None:
    verifier, keys = project.verifier()

    for changes in ({"role": "anon"}, {"exp": 1}, {"iss": "other"}):
        with pytest.raises(UnauthenticatedError):
            await verifier.authenticate(f"Bearer {project.token(header={'kid': 'other'}, **changes)}")
    assert keys.asked == 0

    with pytest.raises(UnauthenticatedError):
        await verifier.authenticate(f"Bearer {project.token(header={'kid': 'other'})}")
    assert keys.asked == 1


HEADERS: dict[str, tuple[Callable[[str], str | None], Reason]] = {
    "no header": (lambda _: None, Reason.MISSING),
    "empty": (lambda _: "", Reason.SCHEME),
    "a bare token": (lambda token: token, Reason.SCHEME),
    "a scheme alone": (lambda _: "Bearer", Reason.SCHEME),
    "a scheme and a blank": (lambda _: "Bearer ", Reason.SCHEME),
    "another scheme": (lambda token: f"Basic {token}", Reason.SCHEME),
    "a scheme that begins alike": (lambda token: f"Bearers {token}", Reason.SCHEME),
    "a blank in front": (lambda token: f" Bearer {token}", Reason.SCHEME),
    "a tab between": (lambda token: f"Bearer\t{token}", Reason.SCHEME),
    "a tab and a blank between": (lambda token: f"Bearer \t{token}", Reason.MALFORMED),
    "a colon": (lambda token: f"Bearer: {token}", Reason.SCHEME),
    "two tokens": (lambda token: f"Bearer {token} {token}", Reason.SCHEME),
    "two headers joined": (lambda token: f"Bearer {token}, Bearer {token}", Reason.SCHEME),
    "a list": (lambda token: f"Bearer {token},{token}", Reason.SCHEME),
    "a blank behind": (lambda token: f"Bearer {token} ", Reason.SCHEME),
    "quotes": (lambda token: f'Bearer "{token}"', Reason.MALFORMED),
    "a parameter": (lambda token: f"Bearer token={token}", Reason.MALFORMED),
    "a letter that is not ASCII": (lambda token: f"Bearer {token}é", Reason.MALFORMED),
    "a wide full stop": (lambda token: "Bearer " + token.replace(".", "\uff0e"), Reason.MALFORMED),
    "a lone surrogate": (lambda token: f"Bearer {token}\udc80", Reason.MALFORMED),
    "a token too long": (lambda _: "Bearer " + "a" * (TOKEN_BYTES_MAX + 1), Reason.MALFORMED),
    "a megabyte of dots": (lambda _: "Bearer " + "." * 2**20, Reason.MALFORMED),
}


@pytest.mark.parametrize("kind", HEADERS)
async def test_header_that_is_not_bearer_and_one_token_is_refused(project: StubProject, kind: str) -> None:
    verifier, _ = project.verifier()
    make, reason = HEADERS[kind]

    with pytest.raises(UnauthenticatedError) as refused:
        await verifier.authenticate(make(project.token()))

    assert refused.value.reason is reason
    assert (await verifier.authenticate(f"Bearer {project.token()}")).user_id == USER_ID


async def test_genuine_token_is_refused_only_when_it_grows_too_long(project: StubProject) -> None:
    verifier, _ = project.verifier()
    spare = (TOKEN_BYTES_MAX - len(project.token(note=""))) * 3 // 4
    fitting, too_long = project.token(note="n" * (spare - 3)), project.token(note="n" * (spare + 3))

    assert len(fitting) <= TOKEN_BYTES_MAX < len(too_long)
    assert (await verifier.authenticate(f"Bearer {fitting}")).user_id == USER_ID
    with pytest.raises(UnauthenticatedError):
        await verifier.authenticate(f"Bearer {too_long}")
