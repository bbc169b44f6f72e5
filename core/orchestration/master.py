"""The master orchestrator: it reads an artifact's type and says who is next. It does nothing else.

An import contract holds it to `core.contract` and the standard library: it can reach no file, database, command
or gate, and no phase can be skipped, since the route follows from the type alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from core.contract import Json, UsageError

MASTER = "master-orchestrator"


@dataclass(frozen=True, slots=True)
class Route:
    """Where an artifact goes: the phase's orchestrator, and what that phase hands on."""

    artifact: str
    orchestrator: str
    phase: str
    output: str

    def to_json(self) -> Json:
        return {
            "artifact": self.artifact,
            "orchestrator": self.orchestrator,
            "phase": self.phase,
            "output": self.output,
        }


ROUTES = MappingProxyType(
    {
        route.artifact: route
        for route in (
            Route("request.raw", "definition-orch", "D1", "workitem.ready"),
            Route("workitem.ready", "planning-orch", "P1", "plan.snapshot"),
            Route("plan.snapshot", "implementation-orch", "I1", "build.bundle"),
            Route("build.bundle", "review-test-orch", "R1", "review.approved"),
            Route("review.approved", "release-ops-orch", "O1", "release.deployed"),
            Route("telemetry.snapshot", "evolution-orch", "E1", "evolution.backlog_delta"),
        )
    }
)

TERMINAL = MappingProxyType(
    {
        "release.deployed": "It goes back to the user; E1 begins with a telemetry.snapshot.",
        "evolution.backlog_delta": "It ends the circle: its additions become proposed work items.",
    }
)
"""Types that leave the phases, and what becomes of them."""


def route(artifact_type: str) -> Route:
    """The route of an artifact's type. Raises UsageError, naming the known types, for one that goes nowhere."""
    found = ROUTES.get(artifact_type)
    if found is not None:
        return found
    known = ", ".join(ROUTES)
    if artifact_type in TERMINAL:
        raise UsageError(f"{artifact_type} is not routed to a phase. {TERMINAL[artifact_type]} Routed types: {known}.")
    raise UsageError(f"Unknown artifact type {artifact_type!r}. Known types: {known}, {', '.join(TERMINAL)}.")
