"""The local issuer on a real disk: one key, private, the same for everybody who may read it."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwt

from server.auth.errors import AuthMisconfiguredError, Reason, UnauthenticatedError
from server.auth.factory import build_verifier
from server.auth.issuer import KEY_FILE_NAME, TTL_S_MAX, LocalIssuer
from server.auth.key_file import KEY_FILE_BYTES_MAX, create_once
from server.auth.testing import ISSUER, USER_ID, HeldClock
from server.settings import Settings

OTHER_UID = 64_998
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")

LOADER = """
import sys
from pathlib import Path
from server.auth.issuer import LocalIssuer
print("ready", flush=True)
for line in sys.stdin:
    print(LocalIssuer.load(Path(line.strip())).kid, flush=True)
"""


def local_settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, database_url=None, supabase_url=None, supabase_jwt_secret=None, jwt_issuer=None)


def key_file(data_dir: Path) -> Path:
    return data_dir / KEY_FILE_NAME


async def test_minted_token_names_its_user_to_a_server_on_the_same_directory(tmp_path: Path) -> None:
    verifier = build_verifier(local_settings(tmp_path))
    await verifier.open()
    token = LocalIssuer.load(tmp_path).mint(USER_ID, ttl_s=3600)

    principal = await verifier.authenticate(f"Bearer {token}")

    assert (principal.user_id, principal.token) == (USER_ID, token)
    await verifier.close()


async def test_token_of_another_directory_is_refused(tmp_path: Path) -> None:
    directories = [tmp_path / name for name in ("ours", "theirs")]
    for directory in directories:
        directory.mkdir()
    verifier = build_verifier(local_settings(directories[0]))
    await verifier.open()

    with pytest.raises(UnauthenticatedError) as refused:
        await verifier.authenticate(f"Bearer {LocalIssuer.load(directories[1]).mint(USER_ID, 60)}")

    assert refused.value.reason is Reason.UNKNOWN_KEY
    ours = await verifier.authenticate(f"Bearer {LocalIssuer.load(directories[0]).mint(USER_ID, 60)}")
    assert ours.user_id == USER_ID
    await verifier.close()


async def test_hs256_token_with_the_local_public_key_as_secret_is_refused(tmp_path: Path) -> None:
    issuer = LocalIssuer.load(tmp_path)
    verifier = build_verifier(local_settings(tmp_path))
    await verifier.open()
    good = issuer.mint(USER_ID, 60)
    public = serialization.load_pem_private_key(key_file(tmp_path).read_bytes(), None).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    for headers in ({"kid": issuer.kid}, {}):
        forged = jwt.encode(jwt.get_unverified_claims(good), der, algorithm="HS256", headers=headers)
        with pytest.raises(UnauthenticatedError) as refused:
            await verifier.authenticate(f"Bearer {forged}")
        assert refused.value.reason is Reason.ALGORITHM

    assert (await verifier.authenticate(f"Bearer {good}")).user_id == USER_ID
    await verifier.close()


def test_minted_claims_are_those_of_a_supabase_user(tmp_path: Path, held: HeldClock) -> None:
    issuer = LocalIssuer.load(tmp_path, held.clock)
    token = issuer.mint(USER_ID, ttl_s=90)

    assert jwt.get_unverified_claims(token) == {
        "iss": issuer.issuer,
        "sub": str(USER_ID),
        "aud": "authenticated",
        "role": "authenticated",
        "iat": int(held.wall_s),
        "exp": int(held.wall_s) + 90,
    }
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT", "kid": issuer.kid}


@pytest.mark.parametrize("ttl_s", [0, -1, TTL_S_MAX + 1])
def test_token_that_never_or_nearly_never_expires_is_not_minted(tmp_path: Path, ttl_s: int) -> None:
    issuer = LocalIssuer.load(tmp_path)

    with pytest.raises(ValueError, match="seconds"):
        issuer.mint(USER_ID, ttl_s)
    assert issuer.mint(USER_ID, TTL_S_MAX)


def test_second_load_finds_the_first_ones_key_and_leaves_nothing_else(tmp_path: Path) -> None:
    first, second = LocalIssuer.load(tmp_path), LocalIssuer.load(tmp_path)

    assert (first.kid, first.issuer) == (second.kid, second.issuer)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE_NAME]


def test_key_is_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        LocalIssuer.load(tmp_path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(key_file(tmp_path).stat().st_mode) == 0o600


def test_repr_shows_no_key(tmp_path: Path) -> None:
    issuer = LocalIssuer.load(tmp_path)

    assert "PRIVATE" not in repr(vars(issuer))
    assert repr(issuer).startswith("<server.auth.issuer.LocalIssuer object")


@contextmanager
def loaders(count: int) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that load the issuer of each directory that they are told."""
    processes = [
        subprocess.Popen([sys.executable, "-c", LOADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate(timeout=10)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with loaders(3) as processes:
        assert {said(process) for process in processes} == {"ready"}
        for turn in range(20):
            directory = tmp_path / str(turn)
            directory.mkdir()
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{directory}\n")
                process.stdin.flush()

            assert {said(process) for process in processes} == {LocalIssuer.load(directory).kid}
            assert [path.name for path in directory.iterdir()] == [KEY_FILE_NAME]


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_key_that_another_process_made_meanwhile_is_kept(tmp_path: Path) -> None:
    first = LocalIssuer.load(tmp_path)

    create_once(key_file(tmp_path), b"another key")

    assert LocalIssuer.load(tmp_path).kid == first.kid
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE_NAME]


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def containing(make: Callable[[], bytes]) -> Callable[[Path], object]:
    def arrange(path: Path) -> None:
        path.touch(0o600)
        path.write_bytes(make())

    return arrange


def readable_by_others(mode: int) -> Callable[[Path], object]:
    return lambda path: path.chmod(mode)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere.pem"))
    path.symlink_to("elsewhere.pem")


def replaced_by(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def arrange(path: Path) -> None:
        path.unlink()
        make(path)

    return arrange


UNFIT: dict[str, Callable[[Path], object]] = {
    **{f"mode {mode:o}": readable_by_others(mode) for mode in (0o640, 0o604, 0o644, 0o620, 0o601, 0o666, 0o777)},
    "a symbolic link": linked,
    "a dangling symbolic link": replaced_by(lambda path: path.symlink_to("absent.pem")),
    "a directory": replaced_by(lambda path: path.mkdir(0o700)),
    "a pipe that nobody writes to": replaced_by(lambda path: os.mkfifo(path, 0o600)),
    "empty": containing(lambda: b""),
    "not a key": containing(lambda: b"hello"),
    "cut short": containing(lambda: pem(ec.generate_private_key(ec.SECP256R1()))[:100]),
    "too long": containing(lambda: b"#" * (KEY_FILE_BYTES_MAX + 1)),
    "a public key": containing(lambda: public_pem(ec.generate_private_key(ec.SECP256R1()))),
    "a key of another curve": containing(lambda: pem(ec.generate_private_key(ec.SECP384R1()))),
    "an RSA key": containing(lambda: pem(rsa.generate_private_key(65537, 2048))),
    "an encrypted key": containing(lambda: pem(ec.generate_private_key(ec.SECP256R1()), b"password")),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_unfit_key_file_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    LocalIssuer.load(tmp_path)
    UNFIT[kind](key_file(tmp_path))
    before = trace(key_file(tmp_path))

    with pytest.raises(AuthMisconfiguredError, match=KEY_FILE_NAME):
        LocalIssuer.load(tmp_path)

    assert trace(key_file(tmp_path)) == before


def trace(path: Path) -> tuple[int, ...]:
    """What changes when a file is written, replaced, given away or opened up."""
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_uid, status.st_mtime_ns, status.st_ctime_ns


def test_directory_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuthMisconfiguredError, match="absent"):
        LocalIssuer.load(tmp_path / "absent")


async def test_server_with_an_unfit_key_file_does_not_open(tmp_path: Path) -> None:
    LocalIssuer.load(tmp_path)
    key_file(tmp_path).chmod(0o644)
    verifier = build_verifier(local_settings(tmp_path))

    with pytest.raises(AuthMisconfiguredError):
        await verifier.open()
    with pytest.raises(UnauthenticatedError):
        await verifier.authenticate("Bearer a.b.c")
    await verifier.close()


@pytest.fixture
def shared_dir() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


@as_root
def test_key_that_root_makes_belongs_to_the_directorys_owner(shared_dir: Path) -> None:
    os.chown(shared_dir, OTHER_UID, OTHER_UID)
    as_made_by_root = LocalIssuer.load(shared_dir)

    status = key_file(shared_dir).stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (OTHER_UID, OTHER_UID, 0o600)
    assert LocalIssuer.load(shared_dir).kid == as_made_by_root.kid
    with acting_as(OTHER_UID):
        assert LocalIssuer.load(shared_dir).kid == as_made_by_root.kid


@as_root
def test_key_of_somebody_else_is_refused(shared_dir: Path) -> None:
    LocalIssuer.load(shared_dir)
    os.chown(key_file(shared_dir), OTHER_UID + 1, OTHER_UID + 1)

    with pytest.raises(AuthMisconfiguredError, match="belongs to"):
        LocalIssuer.load(shared_dir)

    shared_dir.chmod(0o755)
    with acting_as(OTHER_UID), pytest.raises(AuthMisconfiguredError, match="cannot read"):
        LocalIssuer.load(shared_dir)


@as_root
def test_user_without_the_directory_cannot_make_a_key_there(shared_dir: Path) -> None:
    shared_dir.chmod(0o755)

    with acting_as(OTHER_UID), pytest.raises(AuthMisconfiguredError, match="owner"):
        LocalIssuer.load(shared_dir)
    assert list(shared_dir.iterdir()) == []


async def test_two_servers_on_one_directory_take_each_others_tokens(tmp_path: Path) -> None:
    verifiers = [build_verifier(local_settings(tmp_path)) for _ in range(2)]
    await asyncio.gather(*(verifier.open() for verifier in verifiers))
    token = LocalIssuer.load(tmp_path).mint(UUID(int=7), 60)

    for verifier in verifiers:
        assert (await verifier.authenticate(f"Bearer {token}")).user_id == UUID(int=7)
        await verifier.close()


async def test_supabase_token_is_refused_by_a_local_server(tmp_path: Path) -> None:
    issuer = LocalIssuer.load(tmp_path)
    issuer.issuer = ISSUER
    verifier = build_verifier(local_settings(tmp_path))
    await verifier.open()

    with pytest.raises(UnauthenticatedError) as refused:
        await verifier.authenticate(f"Bearer {issuer.mint(USER_ID, 60)}")

    assert refused.value.reason is Reason.ISSUER
    await verifier.close()
