"""Answering with values in the person's own editor, from a question and from its form."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from tests.app.asked import REVIEW, THIN, answers
from tests.app.driving import decision_of, notices, opened, press
from tests.app.seeding import SeededWorkspace
from tui.screens.questions.answer_form import AnswerForm

Editor = Callable[[str], None]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Sets what the person's editor does with the file `path`; a headless app lends what is no terminal."""
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    monkeypatch.delenv("VISUAL", raising=False)
    program = tmp_path / "editor.py"
    monkeypatch.setenv("EDITOR", f"{sys.executable} {program}")

    def does(body: str) -> None:
        head = "import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\ntext = path.read_text()\n"
        program.write_text(f"{head}{body}\n")

    return does


async def test_a_capital_e_answers_in_the_editor(busy_workspace: SeededWorkspace, editor: Editor) -> None:
    editor("path.write_text('business_context: Finance waits\\nacceptance_criteria:\\n- one\\n- two\\n')")
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "E")
        assert decision_of(pilot).escalation == REVIEW
    [given] = await answers(busy_workspace, THIN)
    assert (given.option, given.by) == ("supply", "ada")
    assert given.answer == {"business_context": "Finance waits", "acceptance_criteria": ["one", "two"]}


async def test_what_is_wrong_comes_back_at_the_top_with_what_was_written(
    busy_workspace: SeededWorkspace, editor: Editor, tmp_path: Path
) -> None:
    body = f"""
seen = pathlib.Path({str(tmp_path)!r}, 'seen')
if seen.exists():
    seen.write_text(text)
    path.write_text('\\n'.join(line.replace('42', 'forty-two') for line in text.splitlines()))
else:
    seen.touch()
    path.write_text('who: 42\\n')
"""
    editor(body)
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "E")
    told = (tmp_path / "seen").read_text().splitlines()
    assert told[0] == "# ! Not sent: line 3: who must be a text; put it in quotes, or it is read as a number."
    assert told[-1] == "who: 42"
    assert [a.answer for a in await answers(busy_workspace, THIN)] == [{"who": "forty-two"}]


async def test_leaving_the_editor_as_it_was_answers_nothing(busy_workspace: SeededWorkspace, editor: Editor) -> None:
    editor("pass")
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "E")
        assert "Nothing was changed in the editor" in notices(pilot)[-1]
        assert decision_of(pilot).escalation == THIN
    assert await answers(busy_workspace, THIN) == ()


async def test_from_the_form_what_is_written_goes_along_and_comes_back(
    busy_workspace: SeededWorkspace, editor: Editor, tmp_path: Path
) -> None:
    editor(f"pathlib.Path({str(tmp_path)!r}, 'seen').write_text(text)")
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "e", *"Finance waits", "tab", *"one", "enter", *"two", "f4")
        form = pilot.app.screen
        assert isinstance(form, AnswerForm)
        assert form.by_value()["business_context"] == "Finance waits"
    seen = (tmp_path / "seen").read_text()
    assert "business_context: Finance waits" in seen
    assert "acceptance_criteria:\n- one\n- two" in seen
    assert await answers(busy_workspace, THIN) == ()
