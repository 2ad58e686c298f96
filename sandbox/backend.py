"""The contract of a sandbox. Every tier implements it and passes one contract test-suite."""

from typing import Protocol

from sandbox.types import Gloves, Inputs, Limits, Program, Refusal, Result, Tier, Wall


class Sandbox(Protocol):
    """Runs programs, each in a fresh, single-use process or interpreter."""

    @property
    def tier(self) -> Tier:
        """Which kind of sandbox this is."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps it from running anything now, in words for an operator; empty when it can."""

    @property
    def wall(self) -> Wall:
        """What separates its runs from the host here. Raises TierUnavailableError while something is missing."""

    async def open(self) -> None:
        """Start what runs need. Raises TierUnavailableError when the minimum wall cannot be built here."""

    async def close(self) -> None:
        """End every run and everything started, within 5 s. Idempotent."""

    async def check(self, program: Program) -> tuple[Refusal, ...]:
        """Parse, apply the policy and compile in a confined child, running nothing.

        Returns:
            What was refused, in source order; empty when the program may run. A source that exhausts the child's
            memory, recursion or time comes back as one refusal.

        Raises:
            SandboxBusyError, SandboxLostError: nothing was decided; safe to retry.
        """

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        """Run one program to its end in a fresh, single-use process. Cancelling kills the run.

        Glove calls of the program go to `gloves.call`, one at a time; what it raises and answers, the program gets.

        Raises:
            SandboxBusyError: nothing ran; safe to retry.
            TierUnavailableError: the tier cannot run anything now; nothing ran.
            SandboxLostError: the sandbox died under the run; its effects so far stand.
        """
