"""What can go wrong with a sandbox itself. A bad program is a `Result`, never one of these.

SandboxError
├── TierUnavailableError    this machine cannot build the tier's wall; nothing ran
│   └── ImageUnfitError     the engine has no image for the docker tier, or not this release's; nothing ran
├── ImageBuildError         the docker tier's image could not be built
├── RejectedEverywhereError    no tier takes the program; nothing ran
├── SandboxBusyError        no place within the deadline; nothing ran, safe to retry
└── SandboxLostError        the sandbox died under a run that it did not end itself
"""

from collections.abc import Mapping, Sequence

from sandbox.types import Refusal, Tier


class SandboxError(Exception):
    """Base of everything that this package raises."""


class TierUnavailableError(SandboxError):
    """The tier's wall cannot be built here. Nothing ran.

    Attributes:
        tier: the tier that was asked for.
        missing: the pieces of the wall that this machine does not give, in words for an operator.
    """

    def __init__(self, tier: str, missing: tuple[str, ...]) -> None:
        super().__init__(f"tier {tier} is unavailable: {', '.join(missing)}")
        self.tier = tier
        self.missing = missing


class ImageUnfitError(TierUnavailableError):
    """The engine has no image that the docker tier can run. Nothing ran."""

    def __init__(self, reason: str) -> None:
        super().__init__("docker", (reason,))


class ImageBuildError(SandboxError):
    """The image of the docker tier could not be built; the message says where it failed and what to do."""


class RejectedEverywhereError(SandboxError):
    """No tier takes the program. Nothing ran.

    Attributes:
        refusals: by tier, in source order.
    """

    def __init__(self, refusals: Mapping[Tier, Sequence[Refusal]]) -> None:
        super().__init__("no tier takes the program")
        self.refusals = refusals


class SandboxBusyError(SandboxError):
    """Every place is taken and none came free in time. Nothing ran; safe to retry.

    Attributes:
        retry_after_s: seconds after which trying again is sensible.
    """

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__("every sandbox is busy")
        self.retry_after_s = retry_after_s


class SandboxLostError(SandboxError):
    """The sandbox died or broke its protocol through no limit and no fault of the program. The run counts as lost."""
