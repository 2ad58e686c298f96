"""Whatever bytes a token is made of, the answer is a refusal and nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.auth.errors import Reason, UnauthenticatedError
from server.auth.testing import USER_ID, StubProject

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
segments = st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode())
exhaustive = settings(max_examples=300, derandomize=True, deadline=None)


async def reason_for(project: StubProject, authorization: str) -> Reason:
    verifier, _ = project.verifier()
    with pytest.raises(UnauthenticatedError) as refused:
        await verifier.authenticate(authorization)
    return refused.value.reason


@exhaustive
@given(text=st.text(max_size=60), prefix=st.sampled_from(["", "Bearer ", "bearer a.", "Bearer e30.e30."]))
async def test_any_text_is_refused(project: StubProject, text: str, prefix: str) -> None:
    assert await reason_for(project, prefix + text) is not Reason.INTERNAL


@exhaustive
@given(header=segments, payload=segments)
async def test_genuine_signature_over_anything_is_refused(project: StubProject, header: bytes, payload: bytes) -> None:
    good_header = b'{"alg":"ES256","kid":"ec-key"}'
    good_payload = json.dumps(project.claims()).encode()

    assert await reason_for(project, f"Bearer {project.signed(header, good_payload)}") is not Reason.INTERNAL
    assert await reason_for(project, f"Bearer {project.signed(good_header, payload)}") is not Reason.INTERNAL


@exhaustive
@given(name=st.sampled_from(["alg", "kid", "typ"]), value=json_values.filter(lambda v: v not in ("ES256", "JWT")))
async def test_any_other_header_value_is_refused(project: StubProject, name: str, value: object) -> None:
    assert await reason_for(project, f"Bearer {project.token(header={name: value})}") is not Reason.INTERNAL


@exhaustive
@given(name=st.sampled_from(["iss", "aud", "role", "sub"]), value=json_values)
async def test_any_other_claim_is_refused(project: StubProject, name: str, value: object) -> None:
    assert await reason_for(project, f"Bearer {project.token('ec-key', None, **{name: value})}") is not Reason.INTERNAL


@exhaustive
@given(position=st.integers(0, 10_000), character=st.sampled_from("AZaz09-_.=+/ \n"))
async def test_change_of_any_character_is_refused(project: StubProject, position: int, character: str) -> None:
    token = project.token()
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    verifier, _ = project.verifier()

    if changed == token:
        assert (await verifier.authenticate(f"Bearer {changed}")).user_id == USER_ID
    else:
        assert await reason_for(project, f"Bearer {changed}") is not Reason.INTERNAL
