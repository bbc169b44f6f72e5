"""The requests of a phase: each agent gets the artifact, what its step reads, what it may be told, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.contract import AgentRequest, Json, Written, canonical_json
from core.orchestration.position import Position
from core.phases import PhaseSpec, Step
from core.store.rows import PhaseRunRow

CODING = ("code-implementer", "test-implementer")
"""The roles that change code; they hear what sent the work back, and what people decided."""


@dataclass(frozen=True, slots=True)
class PhaseContext:
    """What the requests of one round are made of."""

    spec: PhaseSpec
    run: PhaseRunRow
    position: Position
    incoming: Json
    criteria: list[Json]
    risks: list[Json]
    project: Json | None
    reviewed_commit: str | None = None
    """What R1 passed: the commit that O1 releases."""
    attempt: int = 1
    """How often the work itself was begun; rounds that only go on where an earlier one stopped do not count."""
    first_round: int = 0
    """The round that began this attempt; 0 where that is this one."""
    judged_commit: str | None = None
    """What the gate of I1 or R1 judged before this attempt: work that mends it comes after."""
    unproven: Mapping[str, int] = field(default_factory=dict)
    """Roles whose answers up to a round do not serve again, although they may be asked the same."""
    journal: Json | None = None
    written: Written | None = None
    """What arrives, as canonical JSON, where that is at hand: every agent's request holds it."""
    _texts: dict[str, Written] = field(default_factory=dict, init=False, repr=False, compare=False)

    def request(
        self, step: Step, results: Mapping[str, Json], *, task: Json | None = None, commit: str | None = None
    ) -> AgentRequest:
        """The request to a step's agent; equal as long as nothing that concerns the agent has changed.

        `commit` is the branch's: part of the request where the step sees it, and what people's word is held against.
        """
        context = self._common()
        found = {role: results[role] for role in step.reads if role in results}
        if found:
            context["results"] = found
        supplied = self.position.supplied(self.spec.code, commit)
        told = {key: supplied[key] for key in step.asks if key in supplied}
        if told:
            context["answers"] = told
        if task is not None:
            context["task"] = task
        if step.sees_commit:
            context["commit"] = commit
        elif self.spec.code == "O1":
            context["commit"] = self.reviewed_commit
        if step.agent in CODING:
            context |= self._coding(str(task["id"]) if task is not None else "")
        if self.journal is not None:
            context["journal"] = self.journal
        return AgentRequest(self.spec.orchestrator, self.incoming, context, step.agent, self.written, self._known())

    def gate_request(self, payload: Json, gate: Json, proofs: Json, results: Json, commit: str | None) -> AgentRequest:
        """The request to the phase's gate check. `payload` is judged as it stands."""
        context = self._common() | {"gate": gate, "proofs": proofs}
        if commit is not None:
            context["commit"] = commit
        if self.spec.code == "I1":
            context["results"] = results
            context["answers"] = self.position.supplied("I1", commit)
        return AgentRequest(self.spec.orchestrator, payload, context, self.spec.leaves, known=self._known())

    def _known(self) -> Mapping[str, Written]:
        """What is common to all requests of the round, as canonical JSON."""
        if not self._texts:
            common = self._common() if self.journal is None else self._common() | {"journal": self.journal}
            self._texts.update({name: Written(canonical_json(value)) for name, value in common.items()})
        return self._texts

    def _common(self) -> Json:
        facts = self.position.facts
        context: Json = {
            "work_item": {
                "id": facts.id,
                "title": facts.title,
                "type": facts.type,
                "tags": facts.tags,
                "impact": facts.impact,
            }
        }
        if self.project is not None:
            context["project"] = self.project
        if self.criteria and self.spec.code not in ("D1", "P1"):
            context["criteria"] = self.criteria
            context["risks"] = self.risks
        return context

    def _coding(self, subject: str) -> Json:
        context: Json = {}
        decided = self.position.settled_decisions(self.spec.code, subject)
        if decided:
            context["decisions"] = decided
        people, agents = self.position.talked_over(self.spec.code, subject)
        if people:
            context["asked_back"], context["asked_about"] = people, agents
        if self.attempt > 1:
            context["round"] = self.attempt
            context["missing"] = self.run.missing
            if self.judged_commit is not None:
                context["since"] = self.judged_commit
        return context
