"""How long a soak goes on, and how hard."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How long and how hard. Times in seconds."""

    seconds: float
    share: float = 0.7  # of the rate that this machine just gave
    measured_s: float = 20.0
    clients: int = 16
    members: int = 4
    sample_s: float = 60.0
    pause_s: float = 40.0  # between two faults
    docker: bool = True
    long: bool = True
    seed: int = 1
