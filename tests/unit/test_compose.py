"""What `compose.yaml` and `.env.example` promise, read as the files they are."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.remote import wire
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rule>:[?-][^}]*)?\}")
ENGINE_SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
SECRETS = {"POSTGRES_PASSWORD", "GLOVEBOX_OWNER_PASSWORD", "GLOVEBOX_LOGIN_PASSWORD"}


def test_the_database_comes_first_then_its_schema_then_the_server() -> None:
    assert list(SERVICES) == ["database", "migrate", "sandbox", "server"]
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert SERVICES["server"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["entrypoint"][-1] == "glovebox db prepare && glovebox db migrate"
    assert SERVICES["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]

    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "user"} & set(service)
    assert service.get("network_mode", "none") == "none"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert ENGINE_SOCKET not in str(service) or name == "sandbox"
    of_the_host = [volume for volume in service.get("volumes", []) if volume.startswith(("/", ".", "~"))]
    assert of_the_host == ([ENGINE_SOCKET, "/sys/fs/cgroup:/sys/fs/cgroup:ro"] if name == "sandbox" else [])
    if name != "database":  # its image starts as root to own its volume, and drops to postgres by itself
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True


def test_the_server_is_no_root_and_listens_on_this_machine_alone() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert re.search(r"^USER (?!root|0)\w+$", dockerfile, re.MULTILINE)
    assert SERVICES["server"]["ports"] == ["127.0.0.1:8000:8000"]
    assert not [name for name in ("database", "migrate") if "ports" in SERVICES[name]]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["database"]["networks"] == ["inside"]


def test_who_holds_the_engines_socket_has_neither_network_nor_secrets() -> None:
    sandbox, server = SERVICES["sandbox"], SERVICES["server"]

    assert sandbox["network_mode"] == "none"
    assert "ports" not in sandbox
    assert set(sandbox["environment"]) == {
        "GLOVEBOX_SANDBOX_SOCKET",
        "DOCKER_HOST",
        "GLOVEBOX_DOCKER_RUNTIME",
        "GLOVEBOX_LOG_FORMAT",
    }
    assert sandbox["environment"]["GLOVEBOX_SANDBOX_SOCKET"] == server["environment"]["GLOVEBOX_SANDBOX_SOCKET"]
    assert set(sandbox["volumes"]) & set(server["volumes"]) == {"sandbox:/run/glovebox"}
    assert "DOCKER_HOST" not in server["environment"]
    assert server["depends_on"]["sandbox"] == {"condition": "service_healthy"}


def test_sandbox_hosts_probe_is_a_frame_that_it_answers() -> None:
    assert f"bytes({list(wire.HEADER.pack(wire.Kind.WATCH, 0))})" in SERVICES["sandbox"]["healthcheck"]["test"][-1]


def test_what_goes_on_running_says_whether_it_is_well() -> None:
    for name in ("database", "sandbox", "server"):
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
        assert SERVICES[name]["restart"] == "unless-stopped"
    assert "/health/ready" in SERVICES["server"]["healthcheck"]["test"][-1]


def test_images_of_others_are_pinned_to_a_major_version() -> None:
    others = {service["image"] for service in SERVICES.values() if not service["image"].startswith("glovebox")}

    assert others
    assert [image for image in others if not re.fullmatch(r"[\w./-]+:\d+(\.\d+)*", image)] == []


def test_the_server_does_not_know_the_owner_or_the_superuser() -> None:
    server = str(SERVICES["server"]["environment"])

    assert "POSTGRES_PASSWORD" not in server
    assert "OWNER" not in server
    assert "SUPERUSER" not in server
    assert "glovebox_login" in SERVICES["server"]["environment"]["DATABASE_URL"]


def test_every_variable_is_in_the_example_and_no_secret_has_a_default() -> None:
    used = {found["name"]: found["rule"] or "" for found in VARIABLE.finditer(str(SERVICES))}
    offered = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if "=" in line and not line.startswith("#"))

    assert set(used) == set(offered)
    assert all(used[name].startswith(":?") for name in SECRETS)
    assert {name: offered[name] for name in offered if offered[name] not in ("", "[]")} == {}


def test_what_the_server_is_given_are_its_settings() -> None:
    known = {str(field.validation_alias or f"GLOVEBOX_{name.upper()}") for name, field in Settings.model_fields.items()}

    for name in ("migrate", "sandbox", "server"):
        assert set(SERVICES[name]["environment"]) - known == set()
