"""Fetches over TLS: who the other side is, is proved for the name, whatever address was dialled."""

import asyncio
import datetime
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agents_store.types import EffectStatus
from sandbox.types import GloveError, GloveFault
from tests.integration.gloves.fetching import OPENED, MakeFetching
from tests.support.http_server import Received, Served, answering


@dataclass
class Authority:
    """Signs certificates for a test."""

    directory: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed("its own", self._key, x509.BasicConstraints(ca=True, path_length=None))

    def trusting(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self._certificate.public_bytes(serialization.Encoding.PEM).decode())
        return context

    def serving(self, *names: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed("a server", key, x509.SubjectAlternativeName(list(map(_general_name, names))))
        path = self.directory / f"{len(names)}{names[0].replace('*', 'any')}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_common_name(name))
            .issuer_name(_common_name("its own"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(extension, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def https_server(context: ssl.SSLContext) -> AsyncIterator[Served]:
    served = Served(answer=answering(b"secure"))
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=context)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in served.tasks:
            task.cancel()
        await asyncio.gather(*served.tasks)


async def test_a_certificate_is_the_names_and_not_the_addresss(fetching: MakeFetching, authority: Authority) -> None:
    async with https_server(authority.serving(OPENED)) as served:
        fetch = fetching([f"https://{OPENED}:{served.port}"], tls=authority.trusting())
        answer = await fetch(f"https://{OPENED}:{served.port}/")
        again = await fetch(f"https://{OPENED}:{served.port}/again")
        await fetch.gloves.close()

    assert (answer["text"], again["text"]) == ("secure", "secure")
    assert served.requests[0].headers["host"] == f"{OPENED}:{served.port}"
    assert served.connections == 1


async def test_a_certificate_for_an_address_serves_that_address(fetching: MakeFetching, authority: Authority) -> None:
    async with https_server(authority.serving("127.0.0.1")) as served:
        fetch = fetching([f"https://127.0.0.1:{served.port}"], tls=authority.trusting())
        answer = await fetch(f"https://127.0.0.1:{served.port}/")
        await fetch.gloves.close()

    assert answer["text"] == "secure"


@pytest.mark.parametrize("names", [("other.test",), ("127.0.0.1",), ("*.test.evil",)])
async def test_another_names_certificate_is_none(
    fetching: MakeFetching, authority: Authority, names: tuple[str, ...]
) -> None:
    async with https_server(authority.serving(*names)) as served:
        fetch = fetching([f"https://{OPENED}:{served.port}"], tls=authority.trusting())
        with pytest.raises(GloveError, match="cannot prove by TLS") as error:
            await fetch(f"https://{OPENED}:{served.port}/", "POST", json={"a": 1})
        await fetch.gloves.close()

    assert error.value.fault is GloveFault.CONNECTION
    assert fetch.last.status is EffectStatus.FAILED
    assert served.requests == []


async def test_an_unknown_authoritys_certificate_is_none(fetching: MakeFetching, authority: Authority) -> None:
    trusting_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with https_server(authority.serving(OPENED)) as served:
        fetch = fetching([f"https://{OPENED}:{served.port}"], tls=trusting_nobody)
        with pytest.raises(GloveError) as error:
            await fetch(f"https://{OPENED}:{served.port}/")
        await fetch.gloves.close()

    assert error.value.fault is GloveFault.CONNECTION
    assert served.requests == []


@pytest.mark.parametrize(
    ("method", "status"), [("GET", EffectStatus.FAILED), ("POST", EffectStatus.UNKNOWN)], ids=["reads", "writes"]
)
async def test_what_tls_cannot_decrypt_is_a_connection_that_broke_off(
    fetching: MakeFetching, authority: Authority, method: str, status: EffectStatus
) -> None:
    async with https_server(authority.serving(OPENED)) as served:
        served.answer = forged_record
        fetch = fetching([f"https://{OPENED}:{served.port}"], tls=authority.trusting())
        with pytest.raises(GloveError, match="the connection broke off") as error:
            await fetch(f"https://{OPENED}:{served.port}/", method)
        await fetch.gloves.close()

    assert error.value.fault is GloveFault.CONNECTION
    assert fetch.last.status is status


async def forged_record(request: Received, writer: asyncio.StreamWriter) -> None:
    """Answers with application data that no key of the connection has encrypted (RFC 8446 section 5.2)."""
    os.write(writer.get_extra_info("socket").fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))


async def test_two_names_on_one_address_share_no_connection(fetching: MakeFetching, authority: Authority) -> None:
    """What was proved for one name proves nothing for another."""
    async with https_server(authority.serving(OPENED)) as served:
        allowed = [f"https://{OPENED}:{served.port}", f"https://other.test:{served.port}"]
        fetch = fetching(allowed, tls=authority.trusting(), private_hosts=(OPENED, "other.test"))
        await fetch(f"https://{OPENED}:{served.port}/")
        with pytest.raises(GloveError):
            await fetch(f"https://other.test:{served.port}/")
        await fetch.gloves.close()

    assert len(served.requests) == 1
