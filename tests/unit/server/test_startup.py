from typing import Any

import pytest
from structlog.testing import capture_logs

from sandbox.tiers import Tiers
from sandbox.types import Tier, Wall, WallKind
from server.observability.startup import tell_start
from server.settings import Settings
from tests.unit.server.fakes import FakeSandbox

SECRETS = {
    "database_url": "postgresql://glovebox_login:hunter2-of-the-database@db/glovebox",
    "supabase_jwt_secret": "a-secret-that-only-the-project-and-the-server-know",
    "metrics_token": "a-scraper-and-nobody-else",
}


class Walled(FakeSandbox):
    tier = Tier.RESTRICTED
    wall = Wall(WallKind.FULL)


class NoEngine(FakeSandbox):
    tier = Tier.DOCKER
    missing = ("no engine answers: start it",)


def told(*sandboxes: FakeSandbox, **settings: Any) -> list[Any]:
    with capture_logs() as lines:
        tell_start(Settings(_env_file=None, **settings), Tiers(sandboxes), "1.2.3")
    return list(lines)


def test_a_start_says_what_the_server_stands_on() -> None:
    (line,) = told(Walled())

    assert (line["version"], line["database"], line["issuer"]) == ("1.2.3", "embedded", "local")
    assert (line["tiers"], line["sandboxes"]) == ({"restricted": "full"}, "here")


def test_a_tier_that_is_not_there_is_named_with_what_to_do() -> None:
    line, warning = told(Walled(), NoEngine())

    assert line["tiers"] == {"restricted": "full"}
    assert (warning["tier"], warning["missing"]) == ("docker", ["no engine answers: start it"])


def test_a_wall_that_is_not_full_is_named_with_what_is_missing() -> None:
    _, warning = told(FakeSandbox())

    assert warning["log_level"] == "warning"
    assert warning["missing"] == ["user namespace"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"cors_origins": ("*",)}, ["GLOVEBOX_CORS_ORIGINS"]),
        ({"trusted_proxies": ("*",), "public_url": "https://gloves.example"}, ["GLOVEBOX_TRUSTED_PROXIES"]),
        ({"supabase_url": "http://auth.example"}, ["SUPABASE_URL"]),
        ({"trusted_proxies": ("10.0.0.1",)}, ["GLOVEBOX_PUBLIC_URL"]),
        ({"cors_origins": ("https://app.example",)}, []),
    ],
)
def test_what_weakens_the_server_is_named_and_nothing_else(settings: dict[str, Any], named: list[str]) -> None:
    _, *warnings = told(Walled(), **settings)

    assert [warning["setting"] for warning in warnings] == named


def test_no_secret_is_told() -> None:
    text = str(told(FakeSandbox(), jwt_issuer="https://issuer.example", **SECRETS))

    assert [secret for secret in SECRETS.values() if secret in text] == []
    assert "DATABASE_URL" in text
