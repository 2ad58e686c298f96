"""What a model is told: the rows' text and the policy, the same for everybody, then the caller's task as data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from agents_store.generations import Engine
from agents_store.types import NewVersion
from sandbox.policy.modules import HINTS, MODULES, NAME_HINTS, NOTES
from sandbox.policy.rewrite_identifiers import ABSENT_BUILTINS
from sandbox.policy.rewrite_names import SPECIAL_METHODS
from sandbox.types import Limits
from server.codegen.answers import ANSWER_BYTES_MAX, TriedExample, encoded
from server.codegen.attempts import REPORT_BYTES_MAX, Finding, report_on

GLOVES_TEXT = """What `ctx` has:
- ctx.test: True in a dry run. ctx.log(message, **fields), print(...): log lines, never part of the answer.
- ctx.fetch(url, method="GET", params=None, headers=None, json=None, data=None): one HTTP request to an allowed host;
  the answer has .status, .ok, .url, .headers (lower-case names), .text, .content and .json(). It raises
  PermissionError for a host that is not allowed, TimeoutError and ConnectionError; a status of 400 or more raises
  nothing.
- ctx.memory.get(key, default=None), .put(key, value, tags=(), importance=0.0), .delete(key),
  .list(prefix="", limit=100), .search(text, limit=5, tags=()): JSON values that stay between runs. An example of a
  new agent starts with an empty memory.
- ctx.secrets.use(name): text to put into a header, query or body of a request; the program never sees the secret.
- ctx.call(agent_name, inputs): runs another agent of the same owner. Not available in examples.
- ctx.files.write(name, data, media_type=None): leaves a file for the owner."""
FRAME_TOKENS_MAX = 8_192  # the answer's form as a schema, roles, and what the provider puts around them


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model: `fixed` is the same for everybody, `turns` alternate between the caller and the model."""

    fixed: str
    turns: Sequence[str]


@cache
def policy_text() -> str:
    """What agent code may import and what it may not say, as the sandbox itself has it."""
    parts = ["What may be imported in the restricted tier, and of each module these names only:"]
    for module, names in sorted(MODULES.items()):
        note = f" ({NOTES[module]})" if module in NOTES else ""
        parts.append(f"- {module}{note}: {' '.join(names)}" if names else f"- {module}{note}")
    parts.append("\nWhat is refused, and what to do instead:")
    parts += [f"- import {module}: {hint}" for module, hint in sorted(HINTS.items())]
    parts += [f"- from {module} import {name}: {hint}" for (module, name), hint in sorted(NAME_HINTS.items())]
    parts += [f"- {name}: {hint}" for name, hint in sorted(ABSENT_BUILTINS.items())]
    parts.append("- async, await, except*: write synchronous code with ordinary exceptions")
    parts.append(f"\nSpecial methods that classes may define: {' '.join(sorted(SPECIAL_METHODS))}")
    return "\n".join(parts)


def fixed_text(engine: Engine) -> str:
    """The part that no caller changes, so that the provider's cache may keep it."""
    defaults = ", ".join(f"{name} {value}" for name, value in asdict(Limits()).items())
    return "\n\n".join((engine.text.strip(), GLOVES_TEXT, policy_text(), f"Limits by default: {defaults}."))


def creation_text(
    *,
    agent_name: str,
    description: str,
    inputs_schema: Mapping[str, Any] | None,
    examples: Sequence[TriedExample],
    allowed_hosts: Sequence[str],
    tier: str,
    limits: Mapping[str, int],
) -> str:
    """The task of writing a new agent."""
    task = {
        "agent_name": agent_name,
        "description": description,
        "inputs_schema": inputs_schema,
        "examples": [example.to_json() for example in examples],
        "allowed_hosts": list(allowed_hosts),
        "tier": tier,
        "limits": dict(limits),
    }
    return f"Write this agent. What the person asks for, as JSON:\n{encoded(task)}"


def revision_text(
    *,
    agent_name: str,
    instruction: str,
    current: NewVersion,
    kept: Sequence[TriedExample],
    free: Sequence[TriedExample],
) -> str:
    """The task of changing an agent."""
    task = {
        "agent_name": agent_name,
        "instruction": instruction,
        "code": current.code,
        "inputs_schema": current.inputs_schema,
        "examples_that_must_still_hold": [example.to_json() for example in kept],
        "examples_that_may_change": [example.to_json() for example in free],
        "tier": current.tier,
        "limits": dict(current.limits),
    }
    return f"Change this agent as the instruction says, and nothing else. As JSON:\n{encoded(task)}"


def repair_turns(task: str, answer: str, findings: Sequence[Finding]) -> list[str]:
    """The turns of the next request after an answer that failed; one that could not be read is not shown again."""
    report = report_on(findings)
    if not answer or any(finding.step == "answer" for finding in findings):
        return [f"{task}\n\nYour last answer could not be used. {report}"]
    return [task, answer, report]


def input_tokens_max(engine: Engine, fixed: str, task: str) -> int:
    """The most that one request can come to. No tokenizer makes more tokens of a text than it has bytes in UTF-8."""
    answered = min(engine.output_tokens_max, ANSWER_BYTES_MAX)
    return len(fixed.encode()) + len(task.encode()) + answered + REPORT_BYTES_MAX + FRAME_TOKENS_MAX
