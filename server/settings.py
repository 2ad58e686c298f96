"""Every setting of the server, read once from the environment or `.env`. Nothing else reads the environment."""

import os
from pathlib import Path
from typing import Literal

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agents_store.types import DRY_RUNS_PER_HOUR_MAX
from sandbox.types import CEILINGS, Limits, Tier
from server.gloves.hosts import read_host


def default_data_dir() -> Path:
    """`/var/lib/glovebox` as root, else the user's data directory (XDG base directory specification)."""
    if os.geteuid() == 0:
        return Path("/var/lib/glovebox")
    base = os.environ.get("XDG_DATA_HOME")  # noqa: TID251 - this module is where the environment is read
    return (Path(base) if base else Path.home() / ".local/share") / "glovebox"


def default_config_dir() -> Path:
    """The user's configuration directory (XDG base directory specification)."""
    base = os.environ.get("XDG_CONFIG_HOME")  # noqa: TID251 - this module is where the environment is read
    return (Path(base) if base else Path.home() / ".config") / "glovebox"


class Settings(BaseSettings):
    """All settings, frozen. Names in the environment are `GLOVEBOX_<NAME>` or the ecosystem's own."""

    model_config = SettingsConfigDict(
        env_prefix="GLOVEBOX_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    data_dir: Path = Field(default_factory=default_data_dir, description="embedded database and local issuer live here")
    database_url: SecretStr | None = Field(
        None, validation_alias="DATABASE_URL", description="PostgreSQL to use as glovebox_login; unset: embedded"
    )
    migrate_database_url: SecretStr | None = Field(
        None, description="the same database as its owner; migrations and credit grants use it"
    )
    superuser_database_url: SecretStr | None = Field(
        None, description="a plain PostgreSQL as its superuser; `glovebox db prepare` alone uses it"
    )
    database_listen_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL_LISTEN",
        description="the same past a pooler in transaction mode, to be told at once; unset: DATABASE_URL, or polling",
    )
    database_pool_max: int = Field(
        12, ge=1, le=200, description="connections that one server process opens at most, besides one that listens"
    )

    supabase_url: AnyHttpUrl | None = Field(
        None, validation_alias="SUPABASE_URL", description="Supabase project: issuer and signing keys of its tokens"
    )
    supabase_publishable_key: SecretStr | None = Field(
        None,
        validation_alias="SUPABASE_PUBLISHABLE_KEY",
        description="the project's publishable key: users' reads without DATABASE_URL, `glovebox login`",
    )
    supabase_secret_key: SecretStr | None = Field(
        None,
        validation_alias="SUPABASE_SECRET_KEY",
        description="the project's secret key: everything else without DATABASE_URL",
    )
    supabase_anon_key: SecretStr | None = Field(
        None, validation_alias="SUPABASE_ANON_KEY", description="legacy key in place of the publishable one"
    )
    supabase_service_role_key: SecretStr | None = Field(
        None, validation_alias="SUPABASE_SERVICE_ROLE_KEY", description="legacy key in place of the secret one"
    )
    supabase_jwt_secret: SecretStr | None = Field(
        None,
        validation_alias="SUPABASE_JWT_SECRET",
        description="legacy HS256 secret, at least 32 bytes; without DATABASE_URL API keys need it",
    )
    jwt_issuer: str | None = Field(None, description="issuer of HS256 tokens where SUPABASE_URL is not set")
    jwt_issuer_required: bool = Field(
        True, description="refuse HS256 tokens that name no issuer; false for a project whose tokens name none"
    )

    anthropic_api_key: SecretStr | None = Field(
        None,
        validation_alias="ANTHROPIC_API_KEY",
        description="key of the model provider; unset: agents are created from code only",
    )
    anthropic_base_url: AnyHttpUrl = Field(
        AnyHttpUrl("https://api.anthropic.com"),
        validation_alias="ANTHROPIC_BASE_URL",
        description="where the model provider, or anything that speaks its Messages API, answers",
    )
    generations_live_max: int = Field(
        32, ge=1, le=1024, description="generations that one server process carries on at once, then 503"
    )

    public_url: AnyHttpUrl | None = Field(None, description="how callers reach the server; an agent's url starts so")
    cors_origins: tuple[str, ...] = Field((), description="origins that browsers may call from, as a JSON list")
    trusted_proxies: tuple[str, ...] = Field((), description="addresses whose X-Forwarded-* headers count, JSON list")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal, else JSON")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severe line logged")
    retention_days: int = Field(
        90, ge=1, le=36_500, description="days that finished runs and deleted agents are kept; the ledger stays"
    )
    shutdown_grace_s: int = Field(30, ge=0, le=600, description="how long live runs may go on after SIGTERM")
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="bearer token of `/metrics`; unset: only callers on this machine get it"
    )
    otlp_endpoint: AnyHttpUrl | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="OpenTelemetry collector (OTLP/HTTP) that gets a trace of each request; needs `glovebox[otel]`",
    )
    trace_ratio: float = Field(
        1.0,
        ge=0,
        le=1,
        validation_alias="OTEL_TRACES_SAMPLER_ARG",
        description="share of requests traced where the caller did not decide",
    )

    runs_live_max: int = Field(32, ge=1, le=1024, description="runs that one server process executes at once")
    runs_waiting_max: int = Field(512, ge=0, le=10_000, description="calls that wait for a place; more get 503")
    run_wait_ms_max: int = Field(15_000, ge=0, le=120_000, description="longest wait for a place, then 503")
    user_runs_live_max: int = Field(50, ge=1, le=10_000, description="one user's live runs at once, then 429")
    user_streams_max: int = Field(128, ge=1, le=10_000, description="runs that one user follows at once, then 429")
    stream_stall_ms_max: int = Field(
        10_000, ge=100, le=300_000, description="how long a follower may take nothing before it is dropped"
    )
    user_dry_runs_live_max: int = Field(20, ge=1, le=10_000, description="one user's dry runs at once, then 429")
    user_dry_runs_per_hour_max: int = Field(
        DRY_RUNS_PER_HOUR_MAX, ge=1, le=1_000_000, description="one user's dry runs an hour on all servers, then 429"
    )
    user_body_bytes_max: int = Field(
        16 * 1024**2, ge=1024**2, description="bytes of one user's bodies at once in one process, then 429"
    )
    body_bytes_max: int = Field(
        128 * 1024**2, ge=1024**2, description="bytes of all bodies at once in one process, then 503"
    )
    sandbox_uid: int = Field(
        64_999, ge=1, le=2**31, description="uid and gid of sandboxed code when the server is root"
    )
    sandbox_pool_size: int = Field(8, ge=1, le=256, description="restricted children kept forked ahead of need")
    sandbox_socket: Path | None = Field(
        None, description="socket of a `glovebox sandbox-host` that runs every tier; unset: this process runs them"
    )
    tiers: tuple[Tier, ...] = Field(tuple(Tier), min_length=1, description="tiers to offer, as a JSON list")
    monty_workers: int = Field(4, ge=1, le=64, description="monty interpreters kept started")
    docker_host: str | None = Field(
        None, validation_alias="DOCKER_HOST", description="Docker engine of the docker tier; unset: the usual socket"
    )
    docker_image: str = Field(
        "glovebox-guest:latest", description="guest image by name or sha256; `glovebox image build` makes it"
    )
    docker_runtime: str | None = Field(
        None, description="container runtime that the engine lists, such as `runsc`; unset: the engine's default"
    )
    docker_cgroup_parent: str | None = Field(
        None,
        description="control group (or systemd slice) of the containers, as the engine wants it named; unset: the "
        "engine's own choice",
    )
    docker_pool_size: int = Field(4, ge=0, le=64, description="containers kept started ahead of need")
    docker_containers_max: int = Field(32, ge=1, le=512, description="containers at once on this machine")
    docker_user_containers_max: int = Field(4, ge=1, le=512, description="containers that one user's runs take at once")

    embeddings_url: AnyHttpUrl | None = Field(
        None, description="service for memory search (`POST /embeddings`); unset: a model that comes with Glovebox"
    )
    embeddings_model: str = Field("text-embedding-3-small", description="what that service calls its model")
    embeddings_key: SecretStr | None = Field(None, description="bearer token of that service")
    secrets_keys: SecretStr | None = Field(
        None,
        description="keys that seal agents' secrets, 32 bytes each in base64, by commas: the first one seals, all of "
        "them open; unset: beside the embedded database a key file, elsewhere no secrets are kept",
    )
    files_dir: Path | None = Field(
        None, description="where runs' files are stored; unset: Supabase Storage by its secret key, else data directory"
    )

    calls_live_max: int = Field(
        32, ge=0, le=1024, description="runs of called agents at once in one server process; more are refused"
    )
    fetch_private_hosts: tuple[str, ...] = Field(
        (),
        description="hosts whose loopback and private addresses ctx.fetch may dial, where an agent's allowed_hosts has "
        "them, as a JSON list; every agent of every user may then name them",
    )

    wall_ms_ceiling: int = Field(CEILINGS.wall_ms_max, ge=1, description="highest wall_ms_max an agent may ask for")
    cpu_ms_ceiling: int = Field(CEILINGS.cpu_ms_max, ge=1, description="highest cpu_ms_max an agent may ask for")
    memory_bytes_ceiling: int = Field(CEILINGS.memory_bytes_max, ge=1, description="highest memory_bytes_max")
    output_bytes_ceiling: int = Field(CEILINGS.output_bytes_max, ge=1, description="highest output_bytes_max")
    processes_ceiling: int = Field(CEILINGS.processes_max, ge=1, description="highest processes_max")
    disk_bytes_ceiling: int = Field(CEILINGS.disk_bytes_max, ge=1, description="highest disk_bytes_max")
    fetches_ceiling: int = Field(CEILINGS.fetches_max, ge=0, description="highest fetches_max")
    calls_ceiling: int = Field(CEILINGS.calls_max, ge=0, description="highest calls_max")
    effects_bytes_ceiling: int = Field(CEILINGS.effects_bytes_max, ge=1, description="highest effects_bytes_max")

    @field_validator("fetch_private_hosts")
    @classmethod
    def _hosts_are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(read_host, value))

    @field_validator("supabase_jwt_secret")
    @classmethod
    def _secret_is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < 32:
            raise ValueError("SUPABASE_JWT_SECRET must be at least 32 bytes")
        return value

    @property
    def ceilings(self) -> Limits:
        """The highest limits that an agent may ask for."""
        return Limits(
            wall_ms_max=self.wall_ms_ceiling,
            cpu_ms_max=self.cpu_ms_ceiling,
            memory_bytes_max=self.memory_bytes_ceiling,
            output_bytes_max=self.output_bytes_ceiling,
            processes_max=self.processes_ceiling,
            disk_bytes_max=self.disk_bytes_ceiling,
            fetches_max=self.fetches_ceiling,
            calls_max=self.calls_ceiling,
            effects_bytes_max=self.effects_bytes_ceiling,
        )
