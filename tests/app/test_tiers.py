from __future__ import annotations

from core.store import reads, reads_team
from core.store.reads_team import Asker
from core.store.rows import LiveRow
from core.store.transaction import MS_PER_DAY, Transaction
from tests.app.seeding import MORNING, SECOND, SeededWorkspace, seed_counter
from tui.governance.tiers import Group, Member, Task, Team, asker, open_groups, running_tasks, team, tier_rows


def member(role: str, state: str = "idle") -> Member:
    return Member(role, "tool", state)


def group(key: str, size: int, state: str = "idle") -> Group:
    return Group(key, key, tuple(member(f"{key}-{n}", state) for n in range(size)))


def seen(made: SeededWorkspace) -> Team:
    return made.store.read_now(
        lambda r: team(
            reads.agents(r),
            reads.counters(r, day=MORNING // MS_PER_DAY),
            reads.read_live(r, MORNING),
            reads_team.askers(r, MORNING),
        )
    )


def test_the_team_stands_in_the_order_in_which_work_passes_it(busy_workspace: SeededWorkspace) -> None:
    groups = seen(busy_workspace).groups
    assert [g.key for g in groups] == ["D1", "P1", "I1", "R1", "O1", "E1", "domain", "utility", "specialist"]
    assert [m.role for m in groups[0].members][:2] == ["intent-triage", "context-assembler"]
    assert {m.role for m in groups[6].members} == {"technical", "strategy", "ux", "gtm"}
    assert "context-delivery" in {m.role for m in groups[7].members}


def test_each_agent_shows_what_it_does_now(busy_workspace: SeededWorkspace) -> None:
    states = {m.role: m.state for g in seen(busy_workspace).groups for m in g.members}
    assert states["code-implementer"] == "running"
    assert states["definition-gate-check"] == "asking"
    assert states["technical"] == "asking"
    assert states["doc-toucher"] == "failed"
    assert states["intent-triage"] == "idle"
    assert states["strategy"] == "idle", "its question is put away"


def test_a_group_shows_the_most_pressing_state_of_its_members_and_their_runs_today(
    busy_workspace: SeededWorkspace,
) -> None:
    found = {g.key: g for g in seen(busy_workspace).groups}
    assert (found["I1"].state, found["D1"].state, found["E1"].state) == ("failed", "asking", "idle")
    assert found["D1"].runs == 60
    assert seen(busy_workspace).master.state == "running"


def test_orchestrators_only_pass_a_question_on() -> None:
    tiers = {"master-orchestrator": 1, "definition-orch": 2}
    assert asker(Asker(("master-orchestrator", "definition-orch", "ac-writer"), "gate", 1), tiers) == "ac-writer"
    assert asker(Asker(("ac-writer", "definition-orch", "master-orchestrator"), "gate", 1), tiers) == "ac-writer"
    assert asker(Asker(("master-orchestrator",), "gate", 1), tiers) == "master-orchestrator"
    assert asker(Asker((), "gate", 1), tiers) == ""


def test_each_agent_has_the_tasks_that_run_the_longest_first(busy_workspace: SeededWorkspace) -> None:
    tasks = {m.role: m.tasks for g in seen(busy_workspace).groups for m in g.members}
    assert tasks["code-implementer"] == (Task(7, "I1", "T2", MORNING - 12 * SECOND),)
    assert tasks["ac-writer"] == ()
    told = tuple({"work_item": n, "phase": "D1", "agent": "ux", "subject": "", "since": 100 - n} for n in (1, 2))
    assert [t.work_item for t in running_tasks(LiveRow(True, 1, (), told))["ux"]] == [2, 1]


def test_what_an_agent_did_today_is_counted_and_what_failed_of_it(busy_workspace: SeededWorkspace) -> None:
    def count(tx: Transaction) -> None:
        seed_counter(tx, "gtm", 9, failures=2)
        tx.event("test.counted")

    busy_workspace.store.write_now(count)
    group = next(g for g in seen(busy_workspace).groups if g.key == "domain")
    found = next(m for m in group.members if m.role == "gtm")
    assert (found.runs, found.failures) == (9, 2)
    assert group.failures == 2


def test_a_phase_counts_its_orchestrator_as_the_briefing_does(busy_workspace: SeededWorkspace) -> None:
    before = {g.key: g.runs for g in seen(busy_workspace).groups}

    def count(tx: Transaction) -> None:
        seed_counter(tx, "planning-orch", 3)
        tx.event("test.counted")

    busy_workspace.store.write_now(count)
    after = {g.key: g.runs for g in seen(busy_workspace).groups}

    assert {key: after[key] - before[key] for key in after if after[key] != before[key]} == {"P1": 3}


def test_groups_at_work_open_first_and_the_tree_stays_in_sight() -> None:
    groups = [group("D1", 5), group("P1", 5), group("I1", 5, "running"), group("specialist", 5)]
    assert open_groups(groups, 15, {}) == {"I1", "D1"}
    assert open_groups(groups, 10, {}) == {"I1"}
    assert open_groups(groups, 5, {}) == frozenset()
    assert open_groups(groups, 100, {}) == {"D1", "P1", "I1"}


def test_what_a_person_folded_or_unfolded_stays_so() -> None:
    groups = [group("D1", 5, "running"), group("P1", 5)]
    assert open_groups(groups, 100, {"D1": False}) == {"P1"}
    assert open_groups(groups, 3, {"P1": True}) == {"P1"}


def test_the_group_that_holds_the_cursor_stays_open() -> None:
    groups = [group("D1", 5, "running"), group("P1", 5)]
    assert open_groups(groups, 3, {}, "P1") == {"P1"}


def test_a_row_that_comes_and_goes_folds_no_group_for_another_each_time() -> None:
    idle = [group("D1", 5), group("P1", 5), group("domain", 3)]
    task = Task(1, "D1", "", 0, doing="asks a model")
    telling = [idle[0]._replace(members=(*idle[0].members[1:], Member("a", "auto", "running", (task,)))), *idle[1:]]
    first = open_groups(idle, 14, {})
    assert first == {"D1", "P1"}
    squeezed = open_groups(telling, 14, {}, None, first)
    assert squeezed == {"D1", "domain"}
    assert open_groups(idle, 14, {}, None, squeezed) == squeezed
    assert open_groups(telling, 14, {}, None, squeezed) == squeezed


def test_rows_of_the_tree() -> None:
    found = Team(member("master-orchestrator"), (group("D1", 2), group("P1", 2)))
    rows = tier_rows(found, {"D1"})
    assert [r.key for r in rows] == ["master-orchestrator", "group:D1", "D1-0", "D1-1", "group:P1"]
    assert [r.is_last for r in rows if not r.is_heading] == [False, True]


def test_without_agents_there_is_no_team() -> None:
    assert team((), {}, LiveRow(False, None, (), ()), ()).groups == ()
