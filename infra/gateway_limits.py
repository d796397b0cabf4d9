"""How much the gateway lets through: of all routes together, and of the one that issues passes to strangers."""

from __future__ import annotations

from dataclasses import dataclass

from infra.stages import Stage


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests a second, after a burst of so many at once."""

    method: str
    path: str
    rate: float
    burst: int

    @property
    def escaped_path(self) -> str:
        """The path where slashes part other things: in patches and in CloudFormation."""
        return self.path.replace("/", "~1")


def limits_of(stage: Stage) -> tuple[Limit, Limit]:
    """The limits of a stage. Whoever opens a campaign's page for the first time is issued a pass, without any key."""
    return (
        Limit("*", "*", stage.requests_per_second, stage.burst),
        Limit("GET", "/p/{distribution}", stage.visitors_per_second, stage.visitors_burst),
    )
