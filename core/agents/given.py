"""What a request hands on to an agent: what people answered, and what the agents before it made."""

from __future__ import annotations

from core.contract import AgentRequest, Json


def answers_of(request: AgentRequest) -> Json:
    answers = request.context.get("answers")
    return answers if isinstance(answers, dict) else {}


def result_of(request: AgentRequest, role: str) -> Json:
    results = request.context.get("results")
    result = results.get(role) if isinstance(results, dict) else None
    return result if isinstance(result, dict) else {}
