"""What is pasted into a field of one line is one line, and nothing of it is lost."""

from __future__ import annotations

import pytest
from textual.events import Paste

from tests.app.driving import opened, press, settle
from tests.app.seeding import SeededWorkspace
from tui.widgets.fields import Field

ONE_LINE_FIELDS = {
    "a reason": ("t", "r"),
    "the title of a work item": ("n",),
    "what is asked back": ("t", "c"),
    "a filter": ("t", "slash"),
}


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        ("one\ntwo", "one two"),
        ("\none\n", "one"),
        ("  one  \r\n\r\n \r\n\ttwo\rthree\u2028four\n", "one two three four"),
        ("\n \n", ""),
        (" as it is  copied", " as it is  copied"),
        ("\x1b]0;title\x07one\n\u202etwo", "one two"),
    ],
)
async def test_lines_that_are_pasted_into_one_line_are_joined(
    three_questions: SeededWorkspace, pasted: str, line: str
) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, "t", "r")
        pilot.app.post_message(Paste(pasted))
        await settle(pilot)
        assert pilot.app.screen.query_one(Field).value == line


@pytest.mark.parametrize("keys", ONE_LINE_FIELDS.values(), ids=ONE_LINE_FIELDS)
async def test_every_field_of_one_line_takes_all_that_is_pasted(
    three_questions: SeededWorkspace, keys: tuple[str, ...]
) -> None:
    async with opened(three_questions) as pilot:
        await press(pilot, *keys, "x")
        pilot.app.post_message(Paste("\nfirst\nsecond"))
        await settle(pilot)
        assert isinstance(pilot.app.focused, Field)
        assert pilot.app.focused.value == "xfirst second"
