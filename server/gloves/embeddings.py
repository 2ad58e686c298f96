"""Texts as vectors, for search by meaning: by a local model that comes in its package, or by an operator's service."""

import asyncio
import importlib.util
import json
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
import structlog

from agents_store.types import EMBEDDING_DIMENSIONS, Embedding
from server.settings import Settings

TEXT_CHARS_MAX = 8_192  # what is longer means what its beginning means
LOCAL_MODEL = "wordllama:l2_supercat_256"
SERVICE_S_MAX = 5.0
SERVICE_BYTES_MAX = 256 * 1024
SERVICE_REQUESTS_MAX = 8

log = structlog.get_logger("server.gloves")


class EmbeddingError(Exception):
    """The text's meaning cannot be told now. The message says why, without a secret or an address."""


class Embedder(Protocol):
    """Turns texts into vectors that can be compared."""

    @property
    def model(self) -> str:
        """Its name: only vectors of one model can be compared."""

    async def embed(self, text: str) -> Embedding | None:
        """The text as a vector of length 1; None where the model knows nothing of it. Raises EmbeddingError."""

    async def close(self) -> None:
        """Let go of what it uses. Idempotent."""


class LocalEmbedder:
    """The model inside the package `wordllama`, loaded when first used; nothing is fetched from anywhere."""

    model = LOCAL_MODEL

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: Any = None  # its package has no types

    async def embed(self, text: str) -> Embedding | None:
        """See `Embedder`. A fraction of a millisecond once the model is loaded, which takes about 0.2 s."""
        return embedding_of(self.model, await asyncio.to_thread(self._embed, text[:TEXT_CHARS_MAX]))

    async def close(self) -> None:
        """See `Embedder`."""

    def _embed(self, text: str) -> list[float]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load()
            vector: list[float] = self._loaded.embed(text)[0].tolist()
        return vector


class ServiceEmbedder:
    """A service that speaks the widespread `POST /embeddings`: `{"model", "input", "dimensions"}`.

    Args:
        url: of that route.
        model: as the service calls it; it must give `EMBEDDING_DIMENSIONS` numbers.
        key: sent as a bearer token; None for none.
    """

    def __init__(self, url: str, model: str, key: str | None) -> None:
        self.model = model
        self._url = url
        self._client = httpx.AsyncClient(
            headers={} if key is None else {"Authorization": f"Bearer {key}"},
            timeout=SERVICE_S_MAX,
            trust_env=False,
            limits=httpx.Limits(max_connections=SERVICE_REQUESTS_MAX),
        )

    async def embed(self, text: str) -> Embedding | None:
        """See `Embedder`. At most `SERVICE_S_MAX`."""
        asked = {"model": self.model, "input": text[:TEXT_CHARS_MAX], "dimensions": EMBEDDING_DIMENSIONS}
        try:
            async with asyncio.timeout(SERVICE_S_MAX), self._client.stream("POST", self._url, json=asked) as answer:
                answer.raise_for_status()
                return embedding_of(self.model, _vector_in(await _read(answer)))
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError, IndexError) as exc:
            log.warning("embedding failed", error=type(exc).__name__)
            raise EmbeddingError("the service that tells what texts mean did not answer as it should") from exc

    async def close(self) -> None:
        """See `Embedder`."""
        await self._client.aclose()


def build_embedder(settings: Settings) -> Embedder:
    """The operator's service where one is set, else the local model."""
    if settings.embeddings_url is None:
        return LocalEmbedder()
    key = settings.embeddings_key
    return ServiceEmbedder(
        str(settings.embeddings_url), settings.embeddings_model, None if key is None else key.get_secret_value()
    )


def embedding_of(model: str, vector: Sequence[float]) -> Embedding | None:
    """The vector at length 1; None where it has no direction. Raises ValueError for what cannot be compared."""
    if len(vector) != EMBEDDING_DIMENSIONS:
        raise ValueError(f"an embedding has {EMBEDDING_DIMENSIONS} numbers, not {len(vector)}")
    length = math.sqrt(sum(number * number for number in vector))
    if not math.isfinite(length):
        raise ValueError("an embedding has a number that is none")
    return Embedding(model, [number / length for number in vector]) if length > 0 else None


def similarity(one: Embedding, other: Embedding) -> float:
    """The cosine of two embeddings of one model, -1 to 1."""
    return sum(a * b for a, b in zip(one.vector, other.vector, strict=True))


def _load() -> Any:
    # Here: the package takes a tenth of a second to import, and most servers never search.
    from wordllama import WordLlama  # type: ignore[import-untyped] # it has no types

    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise EmbeddingError("the package wordllama is not installed")
    # Its default looks for a copy elsewhere, and asks the network for one.
    return WordLlama.load(cache_dir=Path(spec.origin).parent, dim=EMBEDDING_DIMENSIONS, disable_download=True)


async def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > SERVICE_BYTES_MAX:
            raise ValueError("the answer is too large")
    return bytes(body)


def _vector_in(body: bytes) -> list[float]:
    told: Any = json.loads(body)
    return [float(number) for number in told["data"][0]["embedding"]]
