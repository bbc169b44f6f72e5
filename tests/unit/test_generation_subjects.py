"""What templates may say of an agent follows from the agents' rows, and from nothing that differs between machines."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.governance import authority
from core.phases import PHASES
from core.registry.generation.subjects import Subject, subjects
from core.workspace import Workspace
from tests.fresh import fresh_workspace
from tests.unit.generation_team import SMALL, orchestrator, read_team, registry, row, specialist


@dataclass(frozen=True)
class Kind:
    key: str
    mode: str
    impact: int = 3
    title: str = "Something"
    reversible: bool = True


def named(team: tuple[Subject, ...], role: str) -> Subject:
    return next(subject for subject in team if subject.role == role)


def test_the_master_may_ask_every_orchestrator_and_every_domain_agent() -> None:
    master = named(registry(), "master-orchestrator")

    assert sorted(master.delegates_to) == sorted(
        [*(phase.orchestrator for phase in PHASES), "technical", "strategy", "ux", "gtm"]
    )


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.code)
def test_an_orchestrator_may_ask_its_phase_the_context_and_the_utilities(phase: object) -> None:
    spec = next(p for p in PHASES if p == phase)
    delegates = set(named(registry(), spec.orchestrator).delegates_to)
    own = {*spec.roles, "context-delivery", "evidence-writer", "workflow-updater", "decision-recorder"}
    serving = {s.role for s in registry() if s.type == "specialist" and set(s.serves) & set(spec.roles)}

    assert delegates == own | serving


def test_an_orchestrator_may_ask_the_specialists_that_serve_one_of_its_roles_and_no_others() -> None:
    team = subjects(
        [
            orchestrator("implementation-orch", "I1"),
            row("code-implementer", phase="I1"),
            specialist("go-implementer", "code-implementer"),
            specialist("go-screener", "threat-screener"),
        ]
    )

    asked = named(team, "implementation-orch")
    assert asked.delegates_to == ("code-implementer", "go-implementer")
    assert asked.stand_ins == (("code-implementer", ("go-implementer",)),)


def test_nobody_else_may_ask_anybody() -> None:
    assert {s.type for s in registry() if s.delegates_to} == {"orchestrator"}


def test_who_has_nobody_to_ask_has_no_tool_for_asking() -> None:
    alone = subjects([row("ac-writer", tools=["delegate", "read"]), orchestrator("planning-orch", "P1")])

    assert named(alone, "ac-writer").tools == ("read",)
    assert named(alone, "planning-orch").tools == ()


def test_an_orchestrator_knows_the_criteria_of_its_own_gate() -> None:
    assert named(registry(), "definition-orch").gate == (
        "business_context",
        "acceptance_criteria",
        "risks",
        "six_w_confidence",
    )
    assert named(registry(), "ac-writer").gate == ()
    assert named(registry(), "master-orchestrator").gate == ()


def test_the_order_is_the_same_whatever_order_and_numbers_the_rows_have() -> None:
    rows = [
        *SMALL,
        specialist("b-implementer", "code-implementer"),
        specialist("a-implementer", "code-implementer"),
        row("intent-triage"),
    ]
    shuffled = [replace(r, id=n) for n, r in enumerate(random.Random(3).sample(rows, len(rows)))]

    assert subjects(shuffled) == subjects(rows)
    assert [s.role for s in subjects(rows)] == [
        "master-orchestrator",
        "definition-orch",
        "intent-triage",
        "ac-writer",
        "a-implementer",
        "b-implementer",
        "technical",
    ]


def test_the_order_of_kinds_does_not_depend_on_when_they_were_imported() -> None:
    kinds = [Kind("b", "escalate"), Kind("a", "escalate"), Kind("c", "escalate", impact=9), Kind("d", "autonomous")]
    domain = row("technical", agent_type="domain", phase=None)

    one, other = (subjects([domain], {"technical": order})[0].authority for order in (kinds, kinds[::-1]))

    assert one == other
    assert one is not None
    assert [d.key for d in one.escalate] == ["c", "a", "b"]
    assert [d.key for d in one.autonomous] == ["d"]


def test_a_grant_moves_a_kind_in_what_the_domain_agent_is_told(tmp_path: Path) -> None:
    with Workspace.open(fresh_workspace(tmp_path / "ws")) as workspace:
        before = named(read_team(workspace), "technical").authority
        workspace.store.write_now(
            lambda tx: authority.grant(tx, "technical", "api_endpoints", "escalate", by="ada", reason="two outages")
        )
        after = named(read_team(workspace), "technical").authority

    assert before is not None
    assert after is not None
    assert "api_endpoints" in [d.key for d in before.autonomous]
    assert "api_endpoints" in [d.key for d in after.escalate]


def test_nothing_invisible_and_no_second_line_reaches_a_name() -> None:
    hostile = row(
        "ac-writer", display_name="A\u202eB\x1b[31m", description="one\ntwo\U000e0041", sop_content="a\x00b\r\n"
    )

    subject = subjects([hostile])[0]

    assert (subject.display_name, subject.description, subject.sop) == ("AB", "one two", "ab\n")
