"""What texts mean: by the model in its package, or by a service that may answer anything."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from agents_store.types import EMBEDDING_DIMENSIONS
from server.gloves.embeddings import EmbeddingError, LocalEmbedder, ServiceEmbedder, similarity
from tests.support.http_server import Answer, Served, answering, http_server


def told(vector: list[float]) -> bytes:
    return json.dumps({"data": [{"embedding": vector}]}).encode()


@pytest.fixture
async def site() -> AsyncIterator[Served]:
    async with http_server(answering(told([3.0] + [0.0] * (EMBEDDING_DIMENSIONS - 1)))) as served:
        yield served


async def test_local_model_tells_what_is_alike() -> None:
    embedder = LocalEmbedder()

    cat, kitten, tax = await asyncio.gather(*map(embedder.embed, ("the cat sat", "a kitten sat down", "tax report")))

    assert cat is not None
    assert kitten is not None
    assert tax is not None
    assert similarity(cat, cat) == pytest.approx(1)
    assert similarity(cat, kitten) > 0.3 > similarity(cat, tax)
    assert await embedder.embed("") is None
    assert len(cat.vector) == EMBEDDING_DIMENSIONS


async def test_service_is_asked_with_its_key_and_gives_a_unit_vector(site: Served) -> None:
    embedder = ServiceEmbedder(site.url("/v1/embeddings"), "m", "k3y")

    found = await embedder.embed("x" * 10_000)
    await embedder.close()

    assert found is not None
    assert (found.model, found.vector[0], sum(found.vector)) == ("m", 1.0, 1.0)
    (request,) = site.requests
    assert request.headers["authorization"] == "Bearer k3y"
    assert json.loads(request.body) == {"model": "m", "input": "x" * 8_192, "dimensions": EMBEDDING_DIMENSIONS}


@pytest.mark.parametrize(
    "answer",
    [
        answering(b"no", status=500),
        answering(b"no"),
        answering(b"[]"),
        answering(b'{"data": []}'),
        answering(told([1.0])),
        answering(told([1.0] * EMBEDDING_DIMENSIONS).replace(b"1.0", b"NaN", 1)),
        answering(told([1.0] * EMBEDDING_DIMENSIONS).replace(b"1.0", b'"x"', 1)),
        answering(b" " * 300_000),
    ],
)
async def test_service_that_answers_otherwise_is_an_error_of_one_kind(site: Served, answer: Answer) -> None:
    embedder = ServiceEmbedder(site.url("/v1/embeddings"), "m", "k3y")
    site.answer = answer

    with pytest.raises(EmbeddingError) as failed:
        await embedder.embed("text")
    await embedder.close()

    assert "k3y" not in str(failed.value)
    assert str(site.port) not in str(failed.value)
