"""Which issuer each combination of settings trusts, and which combinations are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import AnyHttpUrl, SecretStr

from server.auth.errors import AuthMisconfiguredError, UnauthenticatedError
from server.auth.factory import build_verifier
from server.auth.keys import shared_secret_key
from server.auth.testing import ABSENT, ISSUER, SECRET, USER_ID, StubKeys, StubProject
from server.auth.verifier import Verifier
from server.settings import Settings

MakeSettings = Callable[..., Settings]


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    unset = dict.fromkeys(("database_url", "supabase_url", "supabase_jwt_secret", "jwt_issuer"))

    def make(**given: Any) -> Settings:
        return Settings(data_dir=tmp_path / "absent", **(unset | given))

    return make


async def test_secret_with_an_issuer_takes_that_issuers_tokens(
    make_settings: MakeSettings, project: StubProject
) -> None:
    verifier = build_verifier(make_settings(supabase_jwt_secret=SecretStr(SECRET), jwt_issuer=ISSUER))

    assert (await verifier.authenticate(f"Bearer {project.token(None)}")).user_id == USER_ID
    with pytest.raises(UnauthenticatedError):
        await verifier.authenticate(f"Bearer {project.token(None, iss='https://other.example/auth/v1')}")
    with pytest.raises(UnauthenticatedError):
        await verifier.authenticate(f"Bearer {project.token()}")


@pytest.mark.parametrize("url", ["https://project.supabase.co", "https://project.supabase.co/"])
async def test_project_address_names_the_issuer_of_hs256_tokens_too(
    make_settings: MakeSettings, project: StubProject, url: str
) -> None:
    verifier = build_verifier(
        make_settings(supabase_url=AnyHttpUrl(url), supabase_jwt_secret=SecretStr(SECRET), jwt_issuer="ignored")
    )

    assert (await verifier.authenticate(f"Bearer {project.token(None)}")).user_id == USER_ID


def test_building_touches_neither_disk_nor_network(make_settings: MakeSettings, tmp_path: Path) -> None:
    build_verifier(make_settings())
    build_verifier(make_settings(supabase_url=AnyHttpUrl("https://project.supabase.co")))

    assert list(tmp_path.iterdir()) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "external database without an issuer": ({"database_url": SecretStr("postgresql://db/x")}, "SUPABASE_URL"),
    "secret without an issuer": ({"supabase_jwt_secret": SecretStr(SECRET)}, "GLOVEBOX_JWT_ISSUER"),
    "issuer without a secret": ({"jwt_issuer": ISSUER}, "SUPABASE_JWT_SECRET"),
    "issuer without a secret, external database": (
        {"jwt_issuer": ISSUER, "database_url": SecretStr("postgresql://db/x")},
        "SUPABASE_JWT_SECRET",
    ),
    "address with a password": ({"supabase_url": AnyHttpUrl("https://u:p@project.supabase.co")}, "SUPABASE_URL"),
    "address with a query": ({"supabase_url": AnyHttpUrl("https://project.supabase.co/?a=b")}, "SUPABASE_URL"),
    "secret that is a public key": (
        {
            "supabase_jwt_secret": SecretStr("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
            "jwt_issuer": ISSUER,
        },
        "SUPABASE_JWT_SECRET",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_half_a_configuration_is_refused_and_the_message_names_the_setting(
    make_settings: MakeSettings, kind: str
) -> None:
    given, setting = REFUSED[kind]

    with pytest.raises(AuthMisconfiguredError, match=setting) as refused:
        build_verifier(make_settings(**given))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://gateway:8000", True),
        ("http://192.0.2.1", True),
        ("http://127.0.0.1:54321", False),
        ("http://[::1]:54321", False),
        ("http://localhost:54321", False),
        ("https://project.supabase.co", False),
    ],
)
def test_fetching_keys_without_tls_from_elsewhere_is_warned_of(
    make_settings: MakeSettings, url: str, warned: bool
) -> None:
    with structlog.testing.capture_logs() as lines:
        build_verifier(make_settings(supabase_url=AnyHttpUrl(url)))

    assert [line["event"] for line in lines] == ["signing_keys_without_tls"] * warned


async def test_tokens_without_an_issuer_are_taken_only_where_the_operator_says_so(
    make_settings: MakeSettings, project: StubProject
) -> None:
    secret: dict[str, Any] = {"supabase_jwt_secret": SecretStr(SECRET), "jwt_issuer": ISSUER}
    strict = build_verifier(make_settings(**secret))
    lenient = build_verifier(make_settings(**secret, jwt_issuer_required=False))
    nameless = f"Bearer {project.token(None, iss=ABSENT)}"

    with pytest.raises(UnauthenticatedError):
        await strict.authenticate(nameless)
    assert (await lenient.authenticate(nameless)).user_id == USER_ID
    for other in (None, "", "https://other.example/auth/v1"):
        with pytest.raises(UnauthenticatedError):
            await lenient.authenticate(f"Bearer {project.token(None, iss=other)}")


async def test_tokens_of_published_keys_always_name_their_issuer(project: StubProject) -> None:
    lenient = Verifier(ISSUER, StubKeys(project.key_document()), shared_secret_key(SECRET), issuer_required=False)

    assert (await lenient.authenticate(f"Bearer {project.token()}")).user_id == USER_ID
    with pytest.raises(UnauthenticatedError):
        await lenient.authenticate(f"Bearer {project.token(iss=ABSENT)}")
