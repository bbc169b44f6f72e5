"""A person's word in the scope review: it applies at once, to what was shown, and can be taken back."""

from __future__ import annotations

import pytest

from core.governance.scope import deciding
from core.governance.scope.asking import propose
from core.governance.scope.proposing import status
from core.governance.scope.review import review
from tests.app.driving import notices, opened, press, screen_text
from tests.app.scope_driving import (
    CACHING,
    ICONS,
    SERVICE,
    WORDS,
    decided_by,
    go,
    go_to,
    mode,
    proposal,
    put_ceiling,
    says_it_decides,
    text_of,
    type_in,
)
from tests.app.seeding import SeededWorkspace
from tests.app.seeding_scope import answer_last, ask
from tui.screens.scope.dialogs import PreviewDialog, WordDialog
from tui.screens.scope.screen import ScopeReview


class TestApproving:
    async def test_a_yes_is_asked_once_and_says_what_it_does(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a")

            assert isinstance(pilot.app.screen, PreviewDialog)
            text = screen_text(pilot)
            assert "Approve scope proposal 9?" in text
            assert "technical.external_service is autonomous in the database" in text
            assert "1 file made anew" in text
        assert status(proposal(scoped, SERVICE)) == "proposed"

    async def test_it_is_in_force_at_once_in_the_database_in_decisions_and_in_files(
        self, scoped: SeededWorkspace
    ) -> None:
        assert (mode(scoped, "external_service"), says_it_decides(scoped, "external_service")) == (
            "escalate",
            False,
        )

        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "y")

            assert notices(pilot)[-2:] == [
                "Scope proposal 9 is approved: technical.external_service is autonomous from now on.",
                "Made anew: technical.md",
            ]
        row = proposal(scoped, SERVICE)
        assert (status(row), row.decided_by) == ("approved", "ada")
        assert mode(scoped, "external_service") == "autonomous"
        assert decided_by(scoped, "external_service") == "decided"
        assert says_it_decides(scoped, "external_service")

    async def test_no_leaves_everything_as_it_is(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "n")

        assert status(proposal(scoped, SERVICE)) == "proposed"

    async def test_u_takes_it_back_in_the_database_and_in_files_and_it_waits_again(
        self, scoped: SeededWorkspace
    ) -> None:
        before = proposal(scoped, SERVICE)
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "y", "u")

            assert notices(pilot)[-2:] == [
                "Scope proposal 9 waits for a word again, and authority is what it was.",
                "Made anew: technical.md",
            ]
        assert proposal(scoped, SERVICE) == before
        assert mode(scoped, "external_service") == "escalate"
        assert decided_by(scoped, "external_service") == "escalated"
        assert not says_it_decides(scoped, "external_service")

    async def test_u_after_a_decision_by_it_names_the_other_way(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "y")
            assert decided_by(scoped, "external_service") == "decided"
            await press(pilot, "u")

            assert "technical has decided 1 question by it since" in notices(pilot)[-1]
        assert (status(proposal(scoped, SERVICE)), mode(scoped, "external_service")) == (
            "approved",
            "autonomous",
        )

    async def test_what_is_not_what_was_shown_any_more_is_refused(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a")
            await _another_answer_and_a_review(scoped)
            await press(pilot, "y")

            assert notices(pilot)[-1].startswith("Scope proposal 9 was replaced by 13")
        assert mode(scoped, "external_service") == "escalate"
        assert status(proposal(scoped, 13)) == "proposed"

    async def test_what_the_record_does_not_carry_any_more_is_refused(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a")
            scoped.store.write_now(lambda tx: ask(tx, "technical", "external_service", "One that goes wrong?"))
            scoped.store.write_now(lambda tx: answer_last(tx, "own"))
            await press(pilot, "y")

            assert "the record has changed since; 24 of 26 are accepted now" in notices(pilot)[-1]
        assert mode(scoped, "external_service") == "escalate"

    async def test_a_ceiling_that_came_meanwhile_is_refused(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a")
            scoped.store.write_now(put_ceiling)
            await press(pilot, "y")

            assert "has a ceiling, which no record lifts; it stays with a person" in notices(pilot)[-1]
        assert mode(scoped, "external_service") == "escalate"

    async def test_what_is_not_recommended_wants_a_reason(self, scoped: SeededWorkspace) -> None:
        number = _ask_for_more(scoped)
        async with opened(scoped) as pilot:
            await go_to(pilot, number)
            await press(pilot, "a")
            assert isinstance(pilot.app.screen, WordDialog)
            assert "enter send" in screen_text(pilot)
            await press(pilot, "enter")
            assert "An approval that is not recommended needs a reason." in screen_text(pilot)

            await type_in(pilot, "all the same")
            assert "so nobody can approve it yet" in notices(pilot)[-1]
        assert mode(scoped, "architecture") == "escalate"

    async def test_what_is_decided_is_not_decided_again(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, WORDS)
            await press(pilot, "a")

            assert notices(pilot) == ["Scope proposal 6 is approved already; U takes that back."]

    async def test_what_was_undone_says_how_it_is_asked_for_anew(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go_to(pilot, SERVICE)
            await press(pilot, "a", "y")
            screen.show_proposal(SERVICE)
            await press(pilot, "U")
            await type_in(pilot, "too early")
            await press(pilot, "a")
            assert notices(pilot)[-1] == "Scope proposal 9 is undone already; p asks for the change anew."

            await press(pilot, "p", "enter")
            await type_in(pilot, "undone by mistake")
            assert "asked for by ada: undone by mistake" in text_of(screen)

    async def test_the_number_of_a_yes_is_a_yes(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "3")
            assert isinstance(pilot.app.screen, PreviewDialog)
            await press(pilot, "2")

        assert status(proposal(scoped, SERVICE)) == "approved"

    async def test_the_number_of_a_no_is_a_no(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "1")

            assert not isinstance(pilot.app.screen, PreviewDialog)
        assert status(proposal(scoped, SERVICE)) == "proposed"

    async def test_the_footer_offers_what_can_be_said_of_the_row(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            waiting = screen_text(pilot).splitlines()[-1]
            await go_to(pilot, WORDS)
            decided = screen_text(pilot).splitlines()[-1]

        assert ("a approve" in waiting, "U take back" in waiting) == (True, False)
        assert ("a approve" in decided, "U take back" in decided) == (False, True)

    async def test_files_that_somebody_edited_are_kept_and_told(self, scoped: SeededWorkspace) -> None:
        path = scoped.folder / ".claude/agents/domain/technical.md"
        path.write_text(path.read_text() + "My own words.\n")
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "y")

            assert notices(pilot)[-1].startswith("Kept, because the text is not apm's: technical.md.")
        assert mode(scoped, "external_service") == "autonomous"
        assert "My own words." in path.read_text()

    async def test_a_folder_whose_files_cannot_be_made_is_told(self, scoped: SeededWorkspace) -> None:
        (scoped.folder / ".apm/generated.json").write_text("{")
        async with opened(scoped) as pilot:
            await go_to(pilot, SERVICE)
            await press(pilot, "a", "y")

            assert "A generated file could not be made anew" in notices(pilot)[-1]
        assert mode(scoped, "external_service") == "autonomous"


class TestSeveral:
    async def test_a_single_mark_is_what_is_meant_wherever_the_cursor_is(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot, "j", "j", "x", "a")
            assert "Approve scope proposal 11?" in screen_text(pilot)

            await press(pilot, "y")
            assert screen.proposals.mark_count == 0
        assert (mode(scoped, "icons", "ux"), mode(scoped, "caching")) == (
            "autonomous",
            "autonomous",
        )

    async def test_marked_ones_of_low_risk_are_approved_together_after_a_look(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot, "j", "j", "x", "x", "a")
            assert "Approve 2 scope proposals together?" in screen_text(pilot)
            assert "11 ux icons  expansion  22/22 accepted, bound 0.85, risk low" in screen_text(pilot)

            await press(pilot, "y")
            assert screen.proposals.mark_count == 0
            assert "Made anew: technical.md, ux.md" in notices(pilot)
        assert (mode(scoped, "icons", "ux"), mode(scoped, "caching")) == ("autonomous", "escalate")

    async def test_one_undo_takes_all_of_them_back(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go(pilot, "j", "j", "x", "x", "a", "y", "u")

        assert (mode(scoped, "icons", "ux"), mode(scoped, "caching")) == ("escalate", "autonomous")

    async def test_all_or_none(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go(pilot, "j", "j", "x", "x", "a")
            scoped.store.write_now(lambda tx: deciding.reject(tx, CACHING, by="eve", reason="no"))
            await press(pilot, "y")

            assert "Scope proposal 12 is rejected already by eve" in notices(pilot)[-1]
        assert mode(scoped, "icons", "ux") == "escalate"

    async def test_what_is_of_higher_risk_goes_alone(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go(pilot, "x", "x", "a")

            assert "proposal 9 is of medium risk" in notices(pilot)[-1]
            assert isinstance(pilot.app.screen, ScopeReview)

    async def test_of_all_that_are_marked_those_go_together_that_can(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot, "asterisk", "a")
            assert "proposal 9 is of medium risk" in notices(pilot)[-1]
            assert "Approve 3 scope proposals together?" in screen_text(pilot)

            await press(pilot, "y")
            assert screen.proposals.row is not None
            assert screen.proposals.row.key == ("proposal", str(SERVICE))
        assert (mode(scoped, "icons", "ux"), mode(scoped, "external_service")) == ("autonomous", "escalate")

    async def test_the_next_that_waits_is_in_hand_once_one_has_its_word(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go_to(pilot, ICONS)
            await press(pilot, "r")
            await type_in(pilot, "not yet")

            assert screen.proposals.row is not None
            assert screen.proposals.row.key == ("proposal", str(CACHING))

    async def test_words_of_their_own_are_for_one_at_a_time(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go(pilot, "x", "x", "r")

            assert notices(pilot)[-1].startswith("One at a time")


class TestOtherWords:
    async def test_a_rejection_keeps_its_reason_and_can_be_undone(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, ICONS)
            await press(pilot, "r")
            await type_in(pilot, "not yet")
            row = proposal(scoped, ICONS)
            assert (status(row), row.reason) == ("rejected", "not yet")

            await press(pilot, "u")
        assert (status(proposal(scoped, ICONS)), proposal(scoped, ICONS).cool_down_until) == (
            "proposed",
            None,
        )

    async def test_a_rejection_without_a_reason_is_not_sent(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, ICONS)
            await press(pilot, "r", "enter")

            assert "A rejection needs a reason." in screen_text(pilot)
        assert status(proposal(scoped, ICONS)) == "proposed"

    async def test_what_was_written_is_there_again(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, ICONS)
            await press(pilot, "r", *"half", "escape", "r")

            assert "half" in screen_text(pilot)

    async def test_a_question_stays_with_it_and_the_next_review_answers(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go_to(pilot, ICONS)
            await press(pilot, "c")
            await type_in(pilot, "which icons")
            assert proposal(scoped, ICONS).clarification == "which icons"
            assert "asked which icons" in text_of(screen)

            await press(pilot, "R")
            await go_to(pilot, 13)
            assert "was asked which icons (of proposal 11, then 22 of 22)" in text_of(screen)

    async def test_an_older_decision_is_taken_back_with_a_reason(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, WORDS)
            await press(pilot, "U")
            await type_in(pilot, "too early")

            assert "Made anew: ux.md" in notices(pilot)
        assert status(proposal(scoped, WORDS)) == "undone"
        assert mode(scoped, "microcopy", "ux") == "escalate"

    async def test_there_is_nothing_to_take_back_of_what_waits(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            await go_to(pilot, ICONS)
            await press(pilot, "U")

            assert notices(pilot) == ["There is no word of a person here to take back."]

    async def test_a_review_is_held_at_once(self, scoped: SeededWorkspace) -> None:
        async with opened(scoped) as pilot:
            screen = await go(pilot, "R")

            assert "review 3, 0s ago" in str(screen.proposals.border_subtitle)
        assert mode(scoped, "external_service") == "escalate"

    @pytest.mark.parametrize("key", ["a", "r", "c", "U"])
    async def test_where_there_is_nothing_keys_say_so(self, team: SeededWorkspace, key: str) -> None:
        async with opened(team) as pilot:
            await go(pilot, key)

            assert notices(pilot)[-1].startswith("There is no ")


def _ask_for_more(scoped: SeededWorkspace) -> int:
    return scoped.store.write_now(
        lambda tx: propose(tx, "technical", "architecture", "autonomous", by="ada", reason="we would like it")
    )


async def _another_answer_and_a_review(scoped: SeededWorkspace) -> None:
    scoped.store.write_now(lambda tx: ask(tx, "technical", "external_service", "One more?"))
    scoped.store.write_now(answer_last)
    scoped.store.write_now(lambda tx: review(tx, by=None))
