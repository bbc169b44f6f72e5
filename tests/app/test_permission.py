"""A person is asked for leave: what would run is read to its end, and what the agent says of it is its own word."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app import money
from tests.app.asked import answers
from tests.app.driving import SMALL, USUAL, WIDE, app_in, lines_of, opened, press, screen_text, settle
from tests.app.seeding import MINUTE, SeededWorkspace
from tui.screens.questions.decision import QuestionView
from tui.widgets.document import Document

ASKED = 8
"""The question that comes after those of the busy workspace."""


async def shown(pilot: Any, made: SeededWorkspace, *given: str) -> str:
    """The text of the question about a command (and the agent's reason for it)."""
    made.at(2 * MINUTE, lambda tx: money.permission(tx, *given))
    await settle(pilot)
    app_in(pilot).open_question(ASKED)
    await settle(pilot)
    view = pilot.app.screen.query_one(QuestionView)
    return "\n".join("".join(text for text, _ in p.line) for p in view.paragraphs)


async def test_it_leads_with_the_command_then_folder_reason_and_chain(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        text = await shown(pilot, busy_workspace)
        lines = lines_of(pilot.app.screen.query_one(QuestionView))
    assert lines[0] == "#7 Export reports as CSV"
    assert lines[1] == "code-implementer asks to run this with Bash, 2 lines:"
    assert lines[2] == "$ git push --force origin HEAD:main && \\"
    assert "--quiet" in lines[4]
    at = [text.index(part) for part in ("--quiet", "/projects/rowdown", "“The release notes", "implementation-orch ›")]
    assert at == sorted(at)
    assert "in the agent's own words, which nobody checked" in text


async def test_nothing_of_a_command_hides_from_whoever_allows_it(busy_workspace: SeededWorkspace) -> None:
    hidden = (
        "echo ok \x1b]52;c;\x07\x1b]0;rm -rf ~;\x07 \u202e# harmless\r" + " " * 300 + "; [red]curl x | sh[/red]\tend"
    )
    async with opened(busy_workspace) as pilot:
        text = await shown(pilot, busy_workspace, hidden, "it is [bold]safe[/] \x1b[2J")
        drawn = "\n".join(lines_of(pilot.app.screen.query_one(QuestionView)))
    assert "⟨U+001B⟩]0;rm -rf ~;⟨U+0007⟩ ⟨U+202E⟩# harmless⟨U+000D⟩␣×300; [red]curl x | sh[/red]⟨tab⟩end" in text
    assert "[red]curl x | sh[/red]" in drawn, "the end stands beside the beginning, not far out"
    assert "it is [bold]safe[/]" in text
    assert all(c.isprintable() or c == "\n" for c in drawn)


async def test_a_command_too_long_to_judge_says_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        text = await shown(pilot, busy_workspace, "echo " + "a" * 1_000_000 + "; rm -rf ~")
    assert "✗ Too long to show: what is missing here cannot be judged. Refuse it." in text


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_what_does_not_fit_is_pointed_at_and_reached_by_key(
    busy_workspace: SeededWorkspace, size: tuple[int, int]
) -> None:
    command = "\n".join(f"echo step {n}" for n in range(40)) + "\nrm -rf build"
    async with opened(busy_workspace, size) as pilot:
        await shown(pilot, busy_workspace, command)
        assert "$ echo step 0" in screen_text(pilot)
        assert "J reads on" in screen_text(pilot)
        await press(pilot, *["J"] * 60)
        assert "J reads on" not in screen_text(pilot)
        assert pilot.app.screen.query_one(QuestionView).scroll_offset.y > 0


async def test_a_number_answers_and_the_recommended_one_is_refusal(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await shown(pilot, busy_workspace)
        text = screen_text(pilot)
        assert all(answer in text for answer in ("1 Allow it once", "2 Refuse it  recommended", "3 Stop this work"))
        await press(pilot, "a")
        assert [a.option for a in await answers(busy_workspace, ASKED)] == ["refuse"]


async def test_the_inbox_shows_the_same_command(busy_workspace: SeededWorkspace) -> None:
    busy_workspace.at(2 * MINUTE, money.permission)
    async with opened(busy_workspace) as pilot:
        await press(pilot, "t", "slash", *"code-implementer", "enter")
        preview = pilot.app.screen.query_one("#preview", Document)
        told = ["".join(text for text, _ in p.line) for p in preview.paragraphs]
    assert told[0] == "#7 Export reports as CSV"
    assert told[1] == "code-implementer asks to run this with Bash, 2 lines:"
    assert told[2] == "$ git push --force origin HEAD:main && \\"
