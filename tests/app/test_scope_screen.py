"""The scope review: proposals with their record, what they rest on, and asking for a change."""

from __future__ import annotations

from typing import Any

import pytest

from core.governance.scope import deciding
from core.governance.scope.review import review
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.rows_governance import ScopeReviewRow
from core.store.schema import Agent
from tests.app.driving import SMALL, USUAL, decision_of, lines_of, notices, opened, press, screen_text, settle
from tests.app.hearing import heard_by, tell
from tests.app.scope_driving import (
    CACHING,
    DEPENDENCY,
    ICONS,
    MARKET,
    SERVICE,
    TOGETHER,
    WORDS,
    go,
    go_to,
    mode,
    proposal,
    put_ceiling,
    text_of,
    type_in,
)
from tests.app.seeding import SeededWorkspace
from tests.app.seeding_scope import ask
from tui.screens.scope.dialogs import KindDialog, PreviewDialog
from tui.screens.scope.panes import Grounds, Proposals
from tui.screens.scope.screen import ScopeReview


class TestWhatIsShown:
    async def test_proposals_stand_as_the_package_sorts_them_and_decided_ones_below(
        self, scoped: SeededWorkspace
    ) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot)
            found = [line.key for line in screen.proposals.rows]

        numbers = [int(key) for what, key in found if what == "proposal"]
        assert numbers == [SERVICE, DEPENDENCY, ICONS, CACHING, TOGETHER, WORDS, MARKET]
        assert [what for what, _ in found][5:7] == ["wish", "question"]

    async def test_a_row_has_the_record_the_hours_the_risk_and_the_advice(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot)
            row = " ".join(lines_of(screen.proposals)[1].split())

        assert row == ("▌ 9 technical external_service ↑ expansion 24/25 0.80 0.04 h ◆ medium ✓ approve ○ proposed")

    async def test_the_one_under_the_cursor_is_told_in_full(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            text = text_of(await go_to(pilot, SERVICE))

        assert "technical would decide external_service itself" in text
        assert "now technical asks a person  →  then technical decides itself" in text
        assert "24 of 25 answers by people" in text
        assert "─" * 19 + "│" in text
        assert "0.80, needs 0.80" in text
        assert "offline, SOP " in text
        assert "the master: ✓ approve, the record carries it and the risk is medium" in text
        assert "3.0 questions a week less" in text
        assert "1 file made anew: .claude/agents/domain/technical.md" in text

    async def test_a_bound_that_is_too_low_ends_before_the_mark(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            text = text_of(await go_to(pilot, DEPENDENCY))

        assert "now technical decides itself  →  then technical asks a person" in text
        assert "7; people took 3 back" in text
        assert "─" * 7 + "·" * 12 + "│" + "·" * 5 + "  0.25 of its own decisions stand" in text

    async def test_who_asked_and_why_is_told(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            text = text_of(await go_to(pilot, CACHING))

        assert "asked for by bob: Two stale pages." in text

    async def test_a_record_of_another_model_says_so(self, scoped: SeededWorkspace) -> None:
        scoped.store.write_now(lambda tx: _change_model(tx, "technical"))
        async with opened(scoped) as pilot:
            text = text_of(await go_to(pilot, SERVICE))

        assert "another runtime, model or SOP" in text

    async def test_what_it_rests_on_begins_with_what_speaks_against_it(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go_to(pilot, SERVICE)
            rows = screen.query_one(Grounds).rows

        assert len(rows) == 25
        assert [row.outcome for row in rows[:2]] == ["corrected", "accepted"]

    async def test_a_question_that_it_rests_on_opens(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "3", "j", "enter")

            assert decision_of(pilot).escalation == 24

    async def test_what_nobody_was_asked_about_says_so(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, DEPENDENCY)
            await press(pilot, "3", "enter")

            assert "Nobody was asked about decision" in notices(pilot)[-1]

    async def test_a_wish_says_what_is_missing(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot, "j", "j", "j", "j", "j")
            text = text_of(screen)
            await press(pilot, "enter")

            assert "gtm decides launch_date itself" in text
            assert "13 of 20 answers by people" in text
            assert "10 of 13 accepted: lower bound 0.50, it needs 0.80" in text
            assert decision_of(pilot).escalation == 106

    async def test_a_question_of_the_week_opens(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go(pilot, "slash", *"rivers", "enter", "enter")

            assert decision_of(pilot).escalation == 107

    async def test_a_filter_takes_the_section_s_name(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot, "slash", *"low-risk", "enter")

            assert [line.key for line in screen.proposals.rows] == [("proposal", str(ICONS))]
            assert "/low-risk: 1 of 9" in str(screen.proposals.border_subtitle)

    async def test_enter_goes_in_and_escape_out(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped, USUAL) as pilot:
            await go(pilot, "enter")
            assert pilot.app.focused is not None
            assert pilot.app.focused.id == "proposal"

            await press(pilot, "1", "escape")
            assert not isinstance(pilot.app.screen, ScopeReview)

    async def test_y_copies_the_proposal(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go_to(pilot, SERVICE)
            found = screen.copied()

        assert found is not None
        assert "24 of 25 answers by people" in found[0]

    async def test_an_empty_one_says_what_to_press(self, team: SeededWorkspace) -> None:
        async with opened(team, SMALL) as pilot:
            await go(pilot)
            text = screen_text(pilot)

        assert "R holds a review now" in text
        assert "p asks for a change yourself" in text


class TestProposing:
    async def test_a_person_asks_for_less_and_is_taken_to_the_proposal(self, team: SeededWorkspace) -> None:
        async with opened(team) as pilot:
            screen = await go(pilot, "p")
            assert isinstance(pilot.app.screen, KindDialog)
            await press(pilot, "slash", *"refactoring", "enter", "enter")
            await type_in(pilot, "to see them")

            assert screen.proposals.row is not None
            assert screen.proposals.row.key == ("proposal", "1")
            assert "asked for by ada: to see them" in text_of(screen)
        assert (mode(team, "refactoring"), proposal(team, 1).change) == (
            "autonomous",
            "contraction",
        )

    async def test_what_is_not_earned_says_so_and_cannot_be_approved(self, team: SeededWorkspace) -> None:
        async with opened(team) as pilot:
            screen = await go(pilot, "p", "slash", *"boundaries", "enter", "enter")
            await type_in(pilot, "please")

            assert "✗ reject, nobody can approve it before the record carries it: 0 of 20 answers" in text_of(screen)
            assert "none, needs 0.80" in text_of(screen)

    async def test_a_ceiling_is_told_before_anything_is_written(self, team: SeededWorkspace) -> None:
        async with opened(team) as pilot:
            await go(pilot, "p", "slash", *"security", "enter", "enter")

            assert notices(pilot) == [
                "technical's security has a ceiling, which no record lifts; it stays with a person."
            ]

    async def test_the_cursor_begins_on_the_kind_in_hand(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, ICONS)
            await press(pilot, "p", "enter")

            assert "ux.icons: a person is asked  →  ux decides itself" in screen_text(pilot)

    async def test_escape_drops_the_filter_and_then_leaves(self, team: SeededWorkspace) -> None:
        async with opened(team) as pilot:
            await go(pilot, "p", "slash", *"icons", "enter", "escape")
            assert isinstance(pilot.app.screen, KindDialog)

            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, ScopeReview)


async def test_a_ceiling_is_told_before_a_yes_is_refused(scoped: SeededWorkspace) -> None:
    scoped.store.write_now(put_ceiling)
    async with opened(scoped) as pilot:
        text = text_of(await go_to(pilot, SERVICE))

    assert "the kind has a ceiling, which no record lifts, so a yes is refused" in text


async def test_hostile_words_show_as_plain_text(scoped: SeededWorkspace) -> None:
    bad = "a\x1b]52;c;aGk=\x07[/bold][red]\u202e日本語\n" + "wide " * 40
    scoped.store.write_now(lambda tx: deciding.clarify(tx, SERVICE, by="ada", reason=bad))
    for n in range(7):
        scoped.store.write_now(lambda tx, n=n: ask(tx, "technical", bad[:64], f"{bad} {n}?"))  # type: ignore[misc]
    scoped.store.write_now(lambda tx: review(tx, by="ada\x1b[31m"))
    async with opened(scoped) as pilot:
        screen = await go(pilot)
        for _ in screen.proposals.rows:
            await press(pilot, "j")
            shown = screen_text(pilot)
            assert not {"\x1b", "\x07", "\u202e"} & set(shown)
        assert "[/bold]" in "".join(lines_of(screen.query_one(Proposals)))


def _change_model(tx: Any, agent: str) -> None:
    row = reads.agent(tx, agent)
    assert row is not None
    tx.update(Agent, row.id, model="another")
    tx.event("agents.imported")


async def test_a_yes_that_comes_before_the_preview_is_drawn_is_none(scoped: SeededWorkspace) -> None:
    async with opened(scoped) as pilot:
        await go_to(pilot, ICONS)
        await press(pilot, "a")
        preview = pilot.app.screen
        assert isinstance(preview, PreviewDialog)
        preview._is_drawn = False
        await press(pilot, "y", "2")
        assert pilot.app.screen is preview
        assert mode(scoped, "icons", "ux") == "escalate"


async def test_only_what_may_change_a_proposal_makes_it_read_and_the_newest_review_once(
    scoped: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int | None] = []
    real = reads_governance.scope_review

    def counting(reader: Connection, number: int | None = None) -> ScopeReviewRow | None:
        read.append(number)
        return real(reader, number)

    async with opened(scoped) as pilot:
        heard = heard_by(Proposals, monkeypatch)
        monkeypatch.setattr(reads_governance, "scope_review", counting)
        await go_to(pilot, ICONS)
        await tell(pilot, scoped, "delegation.recorded", "phase.entered", "work_item.updated", "notification.sent")
        assert all(change.everything for change in heard)

        scoped.store.write_now(lambda tx: deciding.clarify(tx, ICONS, by="eve", reason="Which ones?"))
        await settle(pilot)
        assert any("scope.clarified" in change.kinds for change in heard)
    assert read == [None] * len(heard)
