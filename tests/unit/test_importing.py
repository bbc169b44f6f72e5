"""An edit of the team's files: what it changes is recorded, once, and nothing that a human did is undone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.contract import UsageError
from core.governance import authority, escalations
from core.governance.decisions import Choice, make_decision
from core.governance.team import Imported, import_catalog
from core.places import FILE
from core.registry.catalog import CatalogError
from core.store import reads, reads_escalations, rows
from core.store.transaction import Transaction
from core.workspace import OVERLAYS, Workspace
from tests.fresh import fresh_workspace

KIND = "api_endpoints"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = fresh_workspace(tmp_path / "ws")
    with Workspace.open(made) as workspace:
        assert mode(workspace) == "autonomous"
    return made


def mode(workspace: Workspace) -> str:
    current = workspace.store.read_now(lambda r: authority.in_force(r, "technical", KIND))
    return current.mode if current else ""


def entry(text: str) -> str:
    """The lines of the kind in agents.yaml."""
    found = re.search(rf"^( *)- \{{?key: {KIND}\b.*\n(?:\1 +.*\n)*", text, re.MULTILINE)
    assert found is not None
    return found[0]


def escalated(text: str, more: str = "") -> str:
    """agents.yaml with the kind moved to the front of technical's escalate list."""
    lines, technical = entry(text), text.index("- role: technical")
    head, rest = text[:technical], text[technical:].replace(lines, "", 1)
    moved = lines.replace("}", f"{more}}}")
    return head + re.sub(r"^( *escalate:\n)", lambda m: m[1] + moved, rest, count=1, flags=re.MULTILINE)


def without(text: str) -> str:
    return text.replace(entry(text), "", 1)


def text_of(folder: Path) -> str:
    return (folder / FILE).read_text(encoding="utf-8")


def edit(folder: Path, text: str) -> None:
    (folder / FILE).write_text(text, encoding="utf-8")


def lay(folder: Path, *entries: dict[str, Any]) -> Path:
    (folder / OVERLAYS).mkdir(exist_ok=True)
    path = folder / OVERLAYS / "team.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "agents": list(entries)}), encoding="utf-8")
    return path


def agent(workspace: Workspace, role: str) -> rows.AgentRow:
    found = workspace.store.read_now(lambda r: reads.agent(r, role))
    assert found is not None
    return found


def questions(workspace: Workspace) -> list[rows.EscalationRow]:
    return list(workspace.store.read_now(reads_escalations.escalations))


def grant(folder: Path, granted: authority.Mode) -> None:
    with Workspace.open(folder) as workspace:
        workspace.store.write_now(
            lambda tx: authority.grant(tx, "technical", KIND, granted, by="ada", reason="20 of 20")
        )


def answer(workspace: Workspace, option: str) -> None:
    asked = questions(workspace)[0].id
    workspace.store.write_now(lambda tx: escalations.resolve(tx, asked, option=option, by="bob", reason="we agreed"))


def test_the_same_files_again_change_nothing_and_leave_no_event(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        before = workspace.store.read_now(lambda r: reads.events(r, last=1))[0].seq

        done = workspace.store.write_now(lambda tx: import_catalog(tx, workspace.catalog))

        assert done == Imported(is_new=False)
        assert workspace.store.read_now(lambda r: reads.events(r, last=1))[0].seq == before


def test_a_remark_changes_no_row(folder: Path) -> None:
    edit(folder, text_of(folder) + "# later\n")

    with Workspace.open(folder, team="untouched") as workspace:
        imported = workspace.update_registry()

    assert imported == Imported()


def test_an_import_records_who_changed_and_how(folder: Path) -> None:
    edit(folder, text_of(folder).replace("revision_rounds: 3", "revision_rounds: 5"))
    lay(folder, {"role": "ac-writer", "runtime": "human"})

    with Workspace.open(folder) as workspace:
        found = [e for e in workspace.store.read_now(reads.events) if e.kind == "agents.imported"][-1]

    assert found.payload["changed"] == {"ac-writer": ["runtime", "origin"]}
    assert found.payload["sections"] == ["defaults.limits.revision_rounds"]


def test_an_agent_that_the_files_drop_is_inactive_keeps_its_row_and_comes_back(folder: Path) -> None:
    own = {"role": "cobol-reader", "display_name": "COBOL Reader", "tier": 3, "type": "specialist"}
    own |= {"description": "Reads it.", "capabilities": ["cobol"], "sop": "Read.\n"}
    path = lay(folder, own)
    with Workspace.open(folder) as workspace:
        first = agent(workspace, "cobol-reader")
    path.unlink()
    with Workspace.open(folder) as workspace:
        gone = agent(workspace, "cobol-reader")
    lay(folder, own)
    with Workspace.open(folder) as workspace:
        back = agent(workspace, "cobol-reader")

    assert first.origin == "agents.d/team.yaml"
    assert (first.is_active, gone.is_active, back.is_active) == (True, False, True)
    assert first.id == gone.id == back.id
    assert gone.sop_content == "Read.\n"


def test_where_an_agent_comes_from_stands_in_its_row(folder: Path) -> None:
    lay(folder, {"role": "ac-writer", "runtime": "human", "sop": "Ask.\n"})

    with Workspace.open(folder) as workspace:
        assert agent(workspace, "ac-writer").origin == "agents.yaml + agents.d/team.yaml: runtime, sop"
        assert agent(workspace, "estimator").origin == "agents.yaml"


def test_a_broken_file_changes_nothing(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        before = workspace.store.read_now(lambda r: reads.agents(r, active_only=False))
    edit(folder, "version: 2\n")

    with pytest.raises(CatalogError, match=r"agents\.yaml:1: version: is 2"):
        Workspace.open(folder)
    with Workspace.open(folder, team="as-known") as workspace:
        assert "version: is 2" in str(workspace.fault)
        assert workspace.store.read_now(lambda r: reads.agents(r, active_only=False)) == before
        with pytest.raises(CatalogError):
            workspace.load_team()


def test_what_a_slow_reader_read_is_not_brought_in_over_newer_files(folder: Path) -> None:
    with Workspace.open(folder) as slow:
        edit(folder, text_of(folder).replace("revision_rounds: 3", "revision_rounds: 4"))
        stale = slow.load_team()
        edit(folder, text_of(folder).replace("revision_rounds: 4", "revision_rounds: 5"))
        with Workspace.open(folder) as quick:
            newest = quick.imported_digest()

        assert slow.store.write_now(lambda tx: slow.bring_in(tx, stale)) is None
        assert slow.imported_digest() == newest


def test_a_kind_that_the_file_moves_to_escalate_escalates(folder: Path) -> None:
    edit(folder, escalated(text_of(folder)))

    with Workspace.open(folder) as workspace:
        assert mode(workspace) == "escalate"


def test_a_kind_that_the_file_no_longer_names_escalates(folder: Path) -> None:
    edit(folder, without(text_of(folder)))

    with Workspace.open(folder) as workspace:
        made = workspace.store.write_now(lambda tx: make_decision(tx, Choice("technical", KIND, "?", 3)))
        known = workspace.store.read_now(lambda r: authority.kinds(r, "technical"))

    assert made.outcome == "escalated"
    assert KIND not in [k.key for k in known]


def test_a_grant_that_the_file_would_undo_stays_and_one_question_asks(folder: Path) -> None:
    grant(folder, "autonomous")
    edit(folder, escalated(text_of(folder)))

    with Workspace.open(folder) as workspace:
        assert mode(workspace) == "autonomous"
        asked = questions(workspace)

    assert [(q.kind, q.urgency, q.recommended) for q in asked] == [("scope", "DAILY", "keep")]
    assert [o["key"] for o in asked[0].options] == ["keep", "follow-file"]
    assert f"technical's authority over {KIND}" in asked[0].question
    assert "was made autonomous by ada; agents.yaml now lists it as one to escalate" in asked[0].question


def test_it_is_asked_once_for_what_a_file_says(folder: Path) -> None:
    grant(folder, "autonomous")
    edit(folder, escalated(text_of(folder)))
    for remark in ("# one\n", "# two\n"):
        with Workspace.open(folder) as workspace:
            assert [q.count for q in questions(workspace)] == [1]
        edit(folder, text_of(folder) + remark)

    with Workspace.open(folder) as workspace:
        answer(workspace, "keep")
    edit(folder, text_of(folder) + "# three\n")

    with Workspace.open(folder) as workspace:
        assert questions(workspace) == []
        assert mode(workspace) == "autonomous"


def test_following_the_file_is_a_grant_by_who_answered(folder: Path) -> None:
    grant(folder, "autonomous")
    edit(folder, escalated(text_of(folder)))

    with Workspace.open(folder) as workspace:
        answer(workspace, "follow-file")
        newest = workspace.store.read_now(lambda r: authority.in_force(r, "technical", KIND))

    assert newest is not None
    assert (newest.mode, newest.by, newest.reason) == ("escalate", "bob", "we agreed")


def test_a_file_that_agrees_again_takes_its_question_back(folder: Path) -> None:
    grant(folder, "autonomous")
    before = text_of(folder)
    edit(folder, escalated(before))
    with Workspace.open(folder) as workspace:
        assert questions(workspace)
    edit(folder, before)

    with Workspace.open(folder) as workspace:
        assert questions(workspace) == []


def test_what_a_person_took_away_is_not_given_back_by_the_file(folder: Path) -> None:
    before = text_of(folder)
    edit(folder, escalated(before))
    grant(folder, "escalate")
    edit(folder, before)

    with Workspace.open(folder) as workspace:
        assert mode(workspace) == "escalate"
        assert "now lists it as autonomous" in questions(workspace)[0].question


def test_an_unchanged_word_of_the_file_is_no_question(folder: Path) -> None:
    grant(folder, "escalate")
    edit(folder, text_of(folder) + "# later\n")

    with Workspace.open(folder) as workspace:
        assert questions(workspace) == []


def test_a_kind_that_the_file_drops_stays_with_its_grant_until_somebody_follows_the_file(folder: Path) -> None:
    grant(folder, "autonomous")
    edit(folder, without(text_of(folder)))

    with Workspace.open(folder) as workspace:
        kept = workspace.store.read_now(lambda r: authority.kinds(r, "technical"))
        assert (KIND, "autonomous") in [(k.key, k.mode) for k in kept]
        answer(workspace, "follow-file")
        left = workspace.store.read_now(lambda r: authority.kinds(r, "technical"))
        assert mode(workspace) == "escalate"
    assert KIND not in [k.key for k in left]


def test_a_ceiling_holds_at_once_whatever_was_granted(folder: Path) -> None:
    grant(folder, "autonomous")
    edit(folder, escalated(text_of(folder), ", ceiling: escalate"))

    with Workspace.open(folder) as workspace:
        made = workspace.store.write_now(lambda tx: make_decision(tx, Choice("technical", KIND, "?", 3)))
        asked = next(q for q in questions(workspace) if q.kind == "scope")

    assert made.outcome == "escalated"
    assert "gives it a ceiling, so it escalates at once" in asked.question


def test_a_grant_that_was_given_anew_is_not_overwritten_by_an_old_question(folder: Path) -> None:
    grant(folder, "autonomous")
    edit(folder, escalated(text_of(folder)))

    with Workspace.open(folder) as workspace:

        def again(tx: Transaction) -> None:
            authority.grant(tx, "technical", KIND, "autonomous", by="eve", reason="once more")

        workspace.store.write_now(again)
        with pytest.raises(UsageError, match="was granted anew"):
            answer(workspace, "follow-file")
        answer(workspace, "keep")
        assert mode(workspace) == "autonomous"
