"""One attempt of a model at an agent: what it answered, and what was found wrong with that."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

REPORT_BYTES_MAX = 16 * 1024
FINDINGS_MAX = 20
SHOWN_CHARS_MAX = 1_000  # of one value in a report


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why an attempt is not an agent yet.

    Attributes:
        step: `answer` (could not be read), `check` (refused by the policy), `contract` (inputs_schema, examples or
            limits), `example` (ran, and did not return what was expected).
        message: what happened, for the author.
        evidence: what belongs to the step: `line`, `column` and `construct`; or `path`; or `index`, `inputs`,
            `expected`, `got`, `outcome`, `error` and whether the example is the caller's `own`.
    """

    step: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is stored and answered."""
        return {"step": self.step, "message": self.message, **self.evidence}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer of the model. What could not be read of it is None or empty; without findings it is the agent."""

    number: int
    code: str | None = None
    summary: str = ""
    inputs_schema: Mapping[str, Any] | None = None
    examples: Sequence[Mapping[str, Any]] = ()
    hosts: Sequence[str] = ()
    tier: str | None = None
    findings: Sequence[Finding] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is stored and answered."""
        return {
            "number": self.number,
            "code": self.code,
            "summary": self.summary,
            "inputs_schema": self.inputs_schema,
            "examples": list(self.examples),
            "hosts": list(self.hosts),
            "tier": self.tier,
            "findings": [finding.to_json() for finding in self.findings],
        }


def report_on(findings: Sequence[Finding]) -> str:
    """What failed, compact, for the model that is to mend it; at most `REPORT_BYTES_MAX` bytes."""
    lines = [_line(finding) for finding in findings[:FINDINGS_MAX]]
    if len(findings) > FINDINGS_MAX:
        lines.append(f"... and {len(findings) - FINDINGS_MAX} more.")
    report = "This failed:\n" + "\n".join(f"- {line}" for line in lines)
    cut = report.encode()[: REPORT_BYTES_MAX - 100].decode(errors="ignore")
    return f"{cut}\nAnswer with the whole agent again, corrected."


def _line(finding: Finding) -> str:
    evidence = finding.evidence
    if "line" in evidence:
        return f"line {evidence['line']}, column {evidence['column']}: {finding.message}"
    if finding.step != "example":
        return finding.message
    whose = "The person's example" if evidence["own"] else "Your example"
    told = [f"{whose} {_short(evidence['inputs'])}: {finding.message}", f"expected {_short(evidence['expected'])}"]
    if evidence["error"] is None:
        told.append(f"got {_short(evidence['got'])}")
    return "; ".join(told)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}... ({len(text)} characters)"
