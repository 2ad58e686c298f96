"""`glovebox agents create --describe, revise, draft`: agents that a model writes, shown while it does."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli import output
from server.cli.client import ApiClient, Document, open_client
from server.cli.errors import CliError, Exit, ProblemError
from server.cli.manifest import read_examples
from server.cli.options import AgentName, AsJson
from server.cli.paths import agent_path, quoted
from server.cli.runs import parse_events

STREAM = {"Accept": "text/event-stream"}
FINDINGS_SHOWN_MAX = 10


def create(
    agent_name: str, description: str, examples: Path | None, allowed_hosts: list[str], *, as_json: bool
) -> None:
    """Have an agent written, showing how far it is."""
    body: dict[str, Any] = {"agent_name": agent_name, "description": description}
    if examples is not None:
        body["examples"] = read_examples(examples)
    if allowed_hosts:
        body["allowed_hosts"] = allowed_hosts
    with open_client() as client:
        agent = _generate(client, "/agents", body)
    _print_generated(agent, "created", as_json=as_json)


def revise(
    agent_name: AgentName,
    instruction: Annotated[str, typer.Argument(metavar="INSTRUCTION", help="What to change, in words.")],
    may_change: Annotated[
        list[int] | None,
        typer.Option("--may-change", metavar="N", min=0, help="An example, from 0, that the change may break."),
    ] = None,
    examples: Annotated[Path | None, typer.Option(help="A JSON Lines file of what must come out besides.")] = None,
    as_json: AsJson = False,
) -> None:
    """Have a model change an agent; its examples must still hold. A new version, or no change at all."""
    body: dict[str, Any] = {"instruction": instruction}
    if may_change:
        body["may_change"] = may_change
    if examples is not None:
        body["examples"] = read_examples(examples)
    with open_client() as client:
        agent = _generate(client, f"{agent_path(agent_name)}/revise", body)
    _print_generated(agent, "revised", as_json=as_json)


def draft(
    generation_id: Annotated[str, typer.Argument(metavar="ID", help="The generation's id.")],
    attempt: Annotated[int | None, typer.Option(min=1, help="Which attempt; absent: the last one with code.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the code of an attempt that did not become an agent; what was wrong with it goes to stderr."""
    with open_client() as client:
        generation = client.get(f"/generations/{quoted(generation_id)}")
    if as_json:
        output.json_object(generation)
        return
    coded = [made for made in generation["attempts"] if made["code"] and attempt in (None, made["number"])]
    if not coded:
        raise CliError("there is no such attempt with code", exit_code=Exit.NOT_FOUND)
    for finding in coded[-1]["findings"][:FINDINGS_SHOWN_MAX]:
        output.note(_finding_text(finding))
    output.line(coded[-1]["code"].rstrip("\n"))


def _generate(client: ApiClient, path: str, body: Mapping[str, Any]) -> Document:
    """The agent, as the last event has it. Raises ProblemError, and CliError where the stream ends without one."""
    shown = _Shown()
    for name, data in parse_events(client.lines(path, STREAM, method="POST", body=body)):
        if name == "progress":
            shown.step(str(data["message"]))
        elif name == "code":
            shown.code(str(data["text"]))
        elif name == "done":
            return Document(data)
        elif name == "problem":
            shown.end_line()
            _say_attempts(data)
            raise ProblemError(int(data["status"]), data)
    raise CliError("the server ended the stream before the agent was ready")


class _Shown:
    """What a person at the terminal sees meanwhile: steps, and the code as it is written."""

    def __init__(self) -> None:
        self._in_line = False

    def step(self, message: str) -> None:
        self.end_line()
        output.note(message)

    def code(self, text: str) -> None:
        sys.stderr.write(output.plain(text))
        sys.stderr.flush()
        self._in_line = not text.endswith("\n")

    def end_line(self) -> None:
        if self._in_line:
            output.note("")
            self._in_line = False


def _say_attempts(problem: Mapping[str, Any]) -> None:
    for made in problem.get("attempts", []):
        for finding in made["findings"][:FINDINGS_SHOWN_MAX]:
            output.note(f"attempt {made['number']}: {_finding_text(finding)}")
    if problem.get("code") == "generation_failed":
        output.note(f"the last attempt's code: glovebox agents draft {problem['generation_id']} > agent.py")


def _finding_text(finding: Mapping[str, Any]) -> str:
    where = f"line {finding['line']}: " if "line" in finding else ""
    text = f"{where}{finding['message']}"
    if finding["step"] != "example":
        return text
    inputs, expected = output.as_json(finding["inputs"]), output.as_json(finding["expected"])
    got = "" if finding["error"] is not None else f", got {output.as_json(finding['got'])}"
    return f"example {inputs}: {text}; expected {expected}{got}"


def _print_generated(agent: Document, done: str, *, as_json: bool) -> None:
    if as_json:
        output.json_object(agent)
        return
    output.line(agent["url"])
    charge = agent["charge_microcredits"]
    price = "-" if charge is None else output.credits_text(charge)
    output.note(
        f"{done} {agent['agent_name']}, version {agent['version']}, tier {agent['tier']}, "
        f"attempts {agent['attempts']}, charged {price} credits"
    )
    if agent["proposed_hosts"]:
        output.note(f"it wants to fetch from {', '.join(agent['proposed_hosts'])}: allow them, or it cannot")
