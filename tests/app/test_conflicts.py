"""Conflicts: those that wait first, both positions, what settled them, and the way to the question that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core.governance.conflicts import ConflictRules, Dispute, raise_conflict
from core.governance.decisions import Choice
from core.governance.disputes import decide
from core.registry.importing import read_memory
from core.store import reads_governance, reads_windows
from core.store.reads import Connection
from core.store.rows_governance import ConflictRow
from core.store.transaction import Transaction
from tests.app.driving import SMALL, USUAL, app_in, decision_of, lines_of, notices, opened, press, screen_text, settle
from tests.app.hearing import heard_by, tell
from tests.app.seeding import HOUR, MINUTE, SeededWorkspace, seed_project, seed_work_item
from tests.app.seeding_scope import NO, YES
from tui.screens.team.conflicts import ConflictList, Conflicts, ConflictView
from tui.screens.work.work_item import WorkItemScreen
from tui.widgets.painted import plain


def raise_one(tx: Transaction, topic: str, work_item: int | None = None, **more: Any) -> int:
    rules = ConflictRules.of_sections(read_memory(tx)["sections"])
    positions = {"technical": "Draw what is in sight", "ux": "Draw all of it"}
    dispute = Dispute(("technical", "ux"), topic, 5, positions=positions, work_item=work_item, phase="P1", **more)
    return raise_conflict(tx, dispute, rules).conflict


@pytest.fixture
def place(team: SeededWorkspace) -> SeededWorkspace:
    """One that waits in a work item, and a newer one that a rule settled."""
    team.at(3 * HOUR, lambda tx: seed_project(tx, "rowdown"))
    item = team.at(3 * HOUR, lambda tx: seed_work_item(tx, "Show ten thousand rows", project=1))
    team.at(2 * HOUR, lambda tx: raise_one(tx, "where the settings live", item, blocks="I1"))
    team.at(20 * MINUTE, lambda tx: raise_one(tx, "performance of the list"))
    return team


async def go(pilot: Any, *keys: str) -> Conflicts:
    app_in(pilot).action_go("conflicts")
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, Conflicts)
    await press(pilot, *keys)
    return screen


def text_of(screen: Conflicts) -> str:
    return "\n".join(plain((*p.line, *p.tail)) for p in screen.query_one(ConflictView).paragraphs)


async def test_those_that_wait_stand_first(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        screen = await go(pilot)
        rows = [" ".join(line.split()) for line in lines_of(screen.query_one(ConflictList))[1:3]]

        assert rows == [
            "▌ 1 ◆ waits technical and ux where the settings live #1 P1 question 1 2h",
            "2 ✓ by rule technical and ux performance of the list P1 technical 20m",
        ]
        assert "1 waiting of 2" in str(screen.query_one(ConflictList).border_subtitle)


async def test_an_open_one_tells_both_positions_and_the_question(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        text = text_of(await go(pilot))

    assert "technical    Draw what is in sight" in text
    assert "ux           Draw all of it" in text
    assert "question 1    technical and ux differ on where the settings live" in text
    assert "no-rule-decides" in text
    assert "#1 Show ten thousand rows, in P1" in text


async def test_enter_opens_the_question_whose_answer_settles_it(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        screen = await go(pilot, "enter")
        assert decision_of(pilot).escalation == 1

        await press(pilot, "1")
        assert pilot.app.screen is screen
        assert "✓ by person: technical prevails, 0s ago" in text_of(screen)
        assert "decided by    ada" in text_of(screen)
    row = place.store.read_now(lambda r: reads_governance.conflict(r, 1))
    assert row is not None
    assert (row.winner, row.decided_by) == ("technical", "ada")


async def test_from_the_text_enter_opens_it_as_well(place: SeededWorkspace) -> None:
    async with opened(place, USUAL) as pilot:
        await go(pilot, "2", "enter")

        assert decision_of(pilot).escalation == 1


async def test_what_a_rule_settled_names_the_rule_and_asks_nobody(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        screen = await go(pilot, "j", "enter")

        assert pilot.app.screen is screen
        assert "technical prevails, 20m ago" in text_of(screen)
        assert "✓ technical    Draw what is in sight" in text_of(screen)
        assert notices(pilot)[-1].startswith("A rule settled conflict 2 (")


async def test_the_decisions_that_it_is_about_say_what_their_owners_chose_and_why(place: SeededWorkspace) -> None:
    def differ(tx: Transaction) -> None:
        rules = ConflictRules.of_sections(read_memory(tx)["sections"])
        for agent, kind, picked in (("technical", "caching", "own"), ("ux", "layout", "hosted")):
            question = f"What keeps the pages, says {agent}?"
            decide(tx, Choice(agent, kind, question, 4, (YES, NO), picked, topic="the page store", work_item=1), rules)

    place.store.write_now(differ)
    async with opened(place) as pilot:
        text = text_of(await go(pilot))

    assert "technical caching: What keeps the pages, says technical?" in text
    assert "technical    Our own" in text
    assert "ux           The hosted service" in text


async def test_w_opens_the_work_item(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        await go(pilot, "w")
        assert isinstance(pilot.app.screen, WorkItemScreen)

        await press(pilot, "escape", "j", "w")
        assert notices(pilot)[-1] == "This conflict came up in no work item."


async def test_a_filter_narrows(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        screen = await go(pilot, "slash", *"rule", "enter")

        assert [row.id for row in screen.query_one(ConflictList).rows] == [2]


async def test_a_long_list_is_read_where_it_is_looked_at(
    team: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(tx: Transaction) -> None:
        for n in range(1, 301):
            raise_one(tx, f"performance of list {n}")

    team.store.write_now(differ)
    asked: list[int] = []
    real = reads_windows.conflicts

    def counting(reader: Connection, numbers: Sequence[int]) -> dict[int, ConflictRow]:
        asked.extend(numbers)
        return real(reader, numbers)

    monkeypatch.setattr(reads_windows, "conflicts", counting)
    async with opened(team) as pilot:
        screen = await go(pilot)
        assert "0 waiting of 300" in str(screen.query_one(ConflictList).border_subtitle)
        assert 0 < len(set(asked)) < 150

        await press(pilot, "G")
        assert screen.row is not None
        assert screen.row.topic == "performance of list 1"


async def test_only_what_may_change_a_conflict_makes_it_read(
    place: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(place) as pilot:
        heard = heard_by(ConflictList, monkeypatch)
        screen = await go(pilot)
        await tell(pilot, place, "delegation.recorded", "work_item.updated", "notification.sent")
        assert all(change.everything for change in heard)

        place.store.write_now(lambda tx: raise_one(tx, "performance of the tree"))
        await settle(pilot)
        assert any("conflict.resolved" in change.kinds for change in heard)
        assert [row.id for row in screen.query_one(ConflictList).rows] == [1, 3, 2]


async def test_y_copies_it(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        found = (await go(pilot)).copied()

    assert found is not None
    assert "where the settings live" in found[0]


async def test_none_says_where_they_come_from(team: SeededWorkspace) -> None:
    async with opened(team, SMALL) as pilot:
        await go(pilot)

        assert "apm conflict raise" in screen_text(pilot)
        await press(pilot, "enter", "w")
        assert notices(pilot)[-1] == "This conflict came up in no work item."


async def test_hostile_words_show_as_plain_text(place: SeededWorkspace) -> None:
    bad = "a\x1b]52;c;aGk=\x07[/bold]\u202e日本語 " * 30
    place.store.write_now(lambda tx: raise_one(tx, bad, 1, tags=(bad,)))
    async with opened(place) as pilot:
        screen = await go(pilot)
        shown = screen_text(pilot)

        assert "[/bold]" in text_of(screen)
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)


async def test_what_is_told_in_words_grows_old_as_the_list_does(place: SeededWorkspace) -> None:
    async with opened(place) as pilot:
        await go(pilot)
        assert "for a person, since 2h" in screen_text(pilot)
        place.clock.now += 3 * HOUR
        app_in(pilot)._tick()
        await settle(pilot)
        assert "for a person, since 5h" in screen_text(pilot)
