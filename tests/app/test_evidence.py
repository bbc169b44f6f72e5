"""What a question rests on: every command that was run for it, in full."""

from __future__ import annotations

from typing import Any

from tests.app.driving import decision_of, opened, press, screen_text
from tests.app.seeding import SeededWorkspace, seed_delegation

REVIEW = 4
"""The busy workspace's question about a gate that commands were run for."""


async def test_v_shows_every_command_in_full(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "space", "v")
        text = screen_text(pilot)
        assert "✗ exit 1  python -m pytest --cov=ledger -q" in text
        assert "pytest 8.4.2" in text
        assert "17.4 s" in text
        assert "1 failed, 41 passed in 16.92s" in text
        await press(pilot, "escape")
        assert decision_of(pilot).escalation == REVIEW


async def test_what_a_command_printed_is_drawn_without_what_a_terminal_obeys(busy_workspace: SeededWorkspace) -> None:
    hostile = "\x1b]52;c;ZXZpbA==\x07[bold]\u202eevil\x1b[2J\n" + "漢" * 200 + "\n" + "x" * 100_000

    def run(tx: Any) -> None:
        seed_delegation(
            tx, 6, "R1", "ac-verifier", subject="again", evidence=[{"command": ["sh\x1b[2J"], "output_tail": hostile}]
        )

    await busy_workspace.store.write(run)
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "space", "v")
        text = screen_text(pilot)
    assert "[bold]evil" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


async def test_a_question_that_no_command_was_run_for_says_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "v")
        assert "No commands are on record for it." in screen_text(pilot)
        assert pilot.app.screen.query_one("#box").size.height < 6
