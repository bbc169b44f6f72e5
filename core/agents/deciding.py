"""The four domain agents offline: each settles what its authority covers, by the recommendation and what stands.

A model in their place weighs more; what is asked and answered is the same.
"""

from __future__ import annotations

from typing import Any

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, blocked, succeeded

APPROVE = "approve"
"""What is chosen where a decision came without options: the agent may go on as it proposed."""


async def technical(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The choice and its reason; BLOCKED when options say nothing of their consequences."""
    return _decide("technical", request)


async def strategy(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The choice and its reason; BLOCKED when options say nothing of their consequences."""
    return _decide("strategy", request)


async def ux(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The choice and its reason; BLOCKED when options say nothing of their consequences."""
    return _decide("ux", request)


async def gtm(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The choice and its reason; BLOCKED when options say nothing of their consequences."""
    return _decide("gtm", request)


def _decide(role: str, request: AgentRequest) -> AgentResponse:
    asked = request.input_artifact
    options = [o for o in asked.get("options", ()) if isinstance(o, dict) and "key" in o]
    if not options:
        return succeeded(role, {"choice": APPROVE, "reason": "Nothing else was offered, and it is within authority."})
    mute = [str(o["key"]) for o in options if not _text(o.get("consequence"))]
    if mute:
        return blocked(
            role,
            {},
            [f"consequence of {key}" for key in mute],
            f"Say what follows from {', '.join(mute)}; a choice without consequences cannot be weighed.",
        )
    keys = [str(o["key"]) for o in options]
    earlier = [d["choice"] for d in request.context.get("earlier", ()) if d.get("choice") in keys]
    recommended = asked.get("recommended")
    chosen = recommended if recommended in keys else keys[0]
    return succeeded(role, {"choice": chosen, "reason": _reason(chosen, options, earlier, recommended in keys)})


def _reason(chosen: str, options: list[Json], earlier: list[Any], is_recommended: bool) -> str:
    consequence = next(_text(o["consequence"]) for o in options if o["key"] == chosen)
    ground = "As recommended" if is_recommended else "The first that was offered"
    before = sum(choice == chosen for choice in earlier)
    same = f" Chosen {before} of {len(earlier)} times before." if earlier else ""
    return f"{ground}: {consequence}{same}"


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
