"""The check that a generated request may fail, and good agents among the bad: loaded by `SCHEMATHESIS_HOOKS`."""

import hashlib
import json
from typing import Any

import schemathesis

from sandbox.types import Outcome

Case = schemathesis.Case[schemathesis.APIOperation[Any, Any, Any, Any]]
OUTCOMES = {outcome.value for outcome in Outcome}
GOOD = """
def run(inputs, ctx):
    print("met", len(inputs))
    ctx.memory.put("last", inputs)
    ctx.files.write("met.txt", "met")
    return inputs
"""
NOT_SET_UP = {"generation_unavailable", "tier_unavailable"}  # the server under test has no model, and not every tier


@schemathesis.check
def no_defect_of_ours(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """A 5xx must be an agent's, with a run and an outcome as its code, or say what the operator did not set up."""
    if response.status_code < 500:
        return
    body = json.loads(response.content)
    if body.get("code") in NOT_SET_UP:
        return
    assert "glovebox-run-id" in response.headers, f"{response.status_code}: {body}"
    assert body.get("code") in OUTCOMES, body


@schemathesis.hook.apply_to(operation_id="create_agent")  # type: ignore[attr-defined, untyped-decorator] # set at run time
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Every second agent is a good one, so that what follows a creation by its links is met, too."""
    digest = hashlib.sha256(repr(body).encode()).hexdigest()
    return body if int(digest, 16) % 2 else {"agent_name": f"agent-{digest[:12]}", "code": GOOD}
