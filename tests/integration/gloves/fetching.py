"""A fetch glove over real sockets, with a resolver that says what a test lets it say."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from agents_store.errors import UnknownSecretError
from agents_store.types import EffectRecord
from sandbox.types import Limits
from server.gloves.budget import Budget
from server.gloves.dialling import ResolveError
from server.gloves.fetch import Network, RunFetch
from server.gloves.hosts import Address, read_pattern
from server.gloves.mocks import Mocks
from server.gloves.run import RunGloves
from server.gloves.secrets import OpenSecret, RunSecrets

OPENED = "opened.test"


@dataclass
class Names:
    """A resolver. A name that it does not know leads to the loopback address."""

    known: dict[str, Callable[[], Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def lead(self, host: str, *addresses: str) -> None:
        self.known[host] = lambda: addresses

    async def __call__(self, host: str, owner: str) -> list[Address]:
        self.asked.append(host)
        found = self.known.get(host, lambda: ["127.0.0.1"])()
        if not found:
            raise ResolveError("no address is known for it")
        return [ip_address(text) for text in found]


@dataclass
class Fetching:
    """One run's gloves, of which fetch and secrets are there."""

    allowed: Sequence[str]
    names: Names = field(default_factory=Names)
    limits: Limits = field(default_factory=Limits)
    test: bool = False
    mocks: Mocks = field(default_factory=Mocks)
    private_hosts: Sequence[str] = ("127.0.0.1", OPENED)
    secrets: dict[str, OpenSecret] = field(default_factory=dict)
    fetch_s_max: float = 5.0
    tls: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    claimed: list[EffectRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        budget = Budget(self.limits)
        self.gloves = RunGloves("alice", self.test, 1, datetime.now(UTC), budget=budget, claim_effect=self._claim)
        network = Network(self.names, self.tls, frozenset(self.private_hosts), self.fetch_s_max)
        run_secrets = RunSecrets(self._open)
        fetch = RunFetch(
            network,
            owner="alice",
            allowed=[read_pattern(text) for text in self.allowed],
            budget=budget,
            secrets=run_secrets,
            claim=self.gloves.claim,
            mocks=self.mocks if self.test else None,
        )
        self.gloves.give({"fetch": fetch, "secrets.use": run_secrets.use}, fetch.close)

    async def __call__(self, url: str, method: str = "GET", **options: Any) -> Any:
        return await self.gloves.call("fetch", {"url": url, "method": method, **options})

    def keep(self, name: str, value: str, *hosts: str) -> None:
        self.secrets[name] = OpenSecret(name, value, [read_pattern(host) for host in hosts])

    async def use(self, name: str) -> str:
        return str(await self.gloves.call("secrets.use", {"name": name}))

    @property
    def last(self) -> EffectRecord:
        return self.gloves.effects[-1]

    async def _claim(self, effect: EffectRecord) -> None:
        self.claimed.append(effect)

    async def _open(self, name: str) -> OpenSecret:
        if name not in self.secrets:
            raise UnknownSecretError(name)
        return self.secrets[name]


MakeFetching = Callable[..., Fetching]
