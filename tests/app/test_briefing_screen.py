"""The briefing in full: read, stepped through, opened from, sent for real, written, and looked up again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.governance.briefing_document import Briefing, Item, Section
from core.governance.briefing_text import as_markdown
from core.store.reads_governance import notifications
from core.store.rows_governance import NotificationRow
from tests.app.driving import SMALL, USUAL, WIDE, app_in, lines_of, notices, opened, press, screen_text, settle
from tests.app.records import go_to, in_utc, seed_briefings
from tests.app.seeding import MORNING, SeededWorkspace
from tests.app.test_hostile import hostile, is_visible
from tests.unit.notice_place import closed_port, http_server, mail_server, write_channels
from tui.screens.questions.decision import Decision
from tui.screens.records.briefing import BriefingScreen, BriefingText
from tui.screens.records.briefing_text import page_of
from tui.screens.work.work_item import WorkItemScreen
from tui.text.markdown import inline
from tui.widgets.document import Document
from tui.widgets.painted import plain


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    with in_utc():
        yield


def text_of(pilot: Any) -> str:
    return "\n".join(lines_of(pilot.app.screen.query_one(BriefingText)))


def rows(made: SeededWorkspace) -> dict[str, NotificationRow]:
    found = made.store.read_now(lambda r: notifications(r))
    return {row.channel: row for row in found if row.key.startswith("briefing.made")}


def of_lines(*lines: Item) -> Briefing:
    return Briefing(MORNING, (Section("urgent", "Urgent decisions", lines, "Nothing."),))


# What is shown


async def test_it_shows_the_six_sections(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, (120, 60)) as pilot:
        app_in(pilot).action_go("briefing")
        await settle(pilot)
        shown = text_of(pilot)
    titles = ("Urgent decisions", "Milestone progress", "Pending reviews", "Agent teams", "Conflicts resolved")
    assert [title for title in titles if title not in shown] == []
    assert "Briefing of 2026-03-02, 09:30 UTC" in shown


def test_what_a_line_names_is_a_link_where_it_stands() -> None:
    item = Item("#2 Which? (holds up I1 of work item 4 Sign in)", {"escalation": 2, "work_item": 4})
    page = page_of(of_lines(item))
    assert [link.ref for link in page.links] == [("escalation", 2), ("work_item", 4)]
    line = page.paragraphs[page.links[0].paragraph].line
    assert [text for text, tone in line if tone == "run"] == ["#2", "work item 4"]


def test_what_a_line_names_by_no_word_stands_behind_it() -> None:
    page = page_of(of_lines(Item("technical and ux on tables: open", {"conflict": 3})))
    assert plain(page.paragraphs[page.links[0].paragraph].line).endswith("open  conflict 3")


def test_a_number_that_is_part_of_another_is_no_link() -> None:
    page = page_of(of_lines(Item("#12 and work item 71", {"escalation": 1, "work_item": 7})))
    assert plain(page.paragraphs[page.links[0].paragraph].line).endswith("question 1  work item 7")


def test_the_link_in_hand_is_told_without_colour() -> None:
    page = page_of(of_lines(Item("#2 Which?", {"escalation": 2}), Item("#3 What?", {"escalation": 3})), current=1)
    lines = [plain(page.paragraphs[link.paragraph].line) for link in page.links]
    assert lines == [" · #2 Which?", " › #3 What?"]


@given(text=st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=60))
def test_markup_in_a_title_is_shown_as_it_was_written(text: str) -> None:
    item = Item(f"x{text}")
    assert plain(page_of(of_lines(item)).paragraphs[-1].line) == f" · {item.text}"


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("plain", (("plain", "text"),)),
        ("a **bold** word", (("a ", "text"), ("bold", "strong"), (" word", "text"))),
        ("an *odd* one", (("an ", "text"), ("odd", "strong"), (" one", "text"))),
        ("run `apm list`, then", (("run ", "text"), ("apm list", "run"), (", then", "text"))),
        (r"\*\*not\*\* \`code\`", (("**not** `code`", "text"),)),
        ("snake_case_name", (("snake_case_name", "text"),)),
        ("[link](http://x) <b>", (("[link](http://x) <b>", "text"),)),
        ("2 * 3 * 4", (("2 * 3 * 4", "text"),)),
        ("`` a`b ``", ((" a`b ", "run"),)),
    ],
)
def test_emphasis_and_code_are_tones(written: str, spans: tuple[tuple[str, str], ...]) -> None:
    assert inline(written) == spans


@given(text=st.text(alphabet="a*_`\\ #-[]<b", max_size=40))
def test_no_text_is_lost_but_its_markup(text: str) -> None:
    shown = plain(inline(text))
    assert [c for c in shown if c not in "*_`\\"] == [c for c in text if c not in "*_`\\"]


# Links


async def test_brackets_step_through_the_links_and_enter_opens_one(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "right_square_bracket")
        assert "link 1 of" in screen_text(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, Decision)
        await press(pilot, "escape", "right_square_bracket", "enter")
        assert isinstance(pilot.app.screen, WorkItemScreen)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_link_in_hand_is_always_in_sight(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(busy_workspace, size) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "left_square_bracket")
        assert " › " in text_of(pilot)
        await press(pilot, "right_square_bracket")
        assert "link 1 of" in screen_text(pilot)
        assert " › " in text_of(pilot)


async def test_enter_without_a_link_says_how_to_get_one(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "enter")
        assert notices(pilot)[-1] == "] goes to the first link; enter opens it then."


async def test_where_nothing_is_named_it_says_so(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "right_square_bracket")
        assert "No question is immediate or overdue." in text_of(pilot)
        assert notices(pilot)[-1] == "This briefing names nothing that can be opened."


# Earlier ones


async def test_earlier_briefings_can_be_looked_through(busy_workspace: SeededWorkspace) -> None:
    seed_briefings(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "left_parenthesis")
        assert "Briefing of 2026-03-01, 07:30 UTC" in text_of(pilot)
        await press(pilot, "left_parenthesis")
        assert "Briefing of 2026-02-28, 07:30 UTC" in text_of(pilot)
        await press(pilot, "left_parenthesis")
        assert notices(pilot)[-1] == "There is no earlier briefing on record."
        await press(pilot, "G")
        assert "It was kept, and not sent." in text_of(pilot)
        await press(pilot, "right_parenthesis", "right_parenthesis", "g")
        assert "Briefing of 2026-03-02, 09:30 UTC" in text_of(pilot)
        await press(pilot, "right_parenthesis")
        assert notices(pilot)[-1] == "This is the briefing of now."


async def test_one_is_chosen_in_the_list_as_well(busy_workspace: SeededWorkspace) -> None:
    seed_briefings(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "2", "j", "enter")
        assert "Briefing of 2026-03-01" in text_of(pilot)
        assert pilot.app.focused is pilot.app.screen.query_one(BriefingText)


async def test_one_on_record_is_not_sent_again(busy_workspace: SeededWorkspace) -> None:
    seed_briefings(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "left_parenthesis", "S")
        assert notices(pilot)[-1] == "Only the briefing of now can be sent; ) goes there."
        assert rows(busy_workspace) == {}


# Sending


async def test_it_arrives_as_a_mail(busy_workspace: SeededWorkspace) -> None:
    async with mail_server() as mails:
        write_channels(busy_workspace.state, {"name": "mail", "url": mails.url()})
        async with opened(busy_workspace) as pilot:
            await go_to(pilot, BriefingScreen())
            await press(pilot, "S")
            asked = " ".join(" ".join(lines_of(pilot.app.screen.query_one("#text", Document))).split())
            assert "goes to mail, console, file." in asked
            await press(pilot, "y")
            assert "mail sent" in notices(pilot)[-1]
            await press(pilot, "left_parenthesis", "G")
            assert "✓ sent mail" in text_of(pilot)
    subjects = [message["Subject"] for message in mails.messages]
    assert "Briefing of 2026-03-02" in subjects
    assert rows(busy_workspace)["mail"].outcome == "sent"


async def test_a_server_that_refuses_is_told_per_channel(busy_workspace: SeededWorkspace) -> None:
    with http_server() as server:
        write_channels(
            busy_workspace.state,
            {"name": "hook", "url": server.url},
            {"name": "broken", "url": f"json://127.0.0.1:{closed_port()}/hook"},
        )
        async with opened(busy_workspace) as pilot:
            await go_to(pilot, BriefingScreen())
            await press(pilot, "S", "y")
            said = notices(pilot)[-1]
    assert "hook sent" in said
    assert "broken under way (" in said
    assert "Briefing of 2026-03-02" in [request.json["title"] for request in server.received]


async def test_without_a_yes_nothing_is_sent(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "S", "n")
    assert rows(busy_workspace) == {}


async def test_a_broken_file_of_channels_is_told_and_nothing_is_sent(busy_workspace: SeededWorkspace) -> None:
    (busy_workspace.state / "notifications.yaml").write_text("version: 7\n")
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "S")
        assert "notifications.yaml" in notices(pilot)[-1]
    assert rows(busy_workspace) == {}


# Writing


async def test_w_writes_markdown_and_says_where(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "w")
        said = notices(pilot)[-1]
    path = Path(said.removeprefix("Written to "))
    assert path.parent == busy_workspace.state / "briefings"
    assert path.read_text().startswith("# Briefing of 2026-03-02, 09:30 UTC\n\n## Urgent decisions\n")
    assert path.stat().st_mode & 0o077 == 0


async def test_a_folder_that_cannot_be_written_is_told(busy_workspace: SeededWorkspace) -> None:
    (busy_workspace.state / "briefings").write_text("a file in its place")
    async with opened(busy_workspace) as pilot:
        await go_to(pilot, BriefingScreen())
        await press(pilot, "w")
        assert "cannot be written" in notices(pilot)[-1]


def test_what_is_written_is_what_is_shown() -> None:
    found = of_lines(Item("a [link](x) and *stars*"))
    assert plain(page_of(found).paragraphs[-1].line) == " · a [link](x) and *stars*"
    assert r"a \[link\](x) and \*stars\*" in as_markdown(found)


# Hostile text


async def test_hostile_titles_are_harmless(tmp_path: Path) -> None:
    made = SeededWorkspace(tmp_path)
    made.store.write_now(hostile)
    try:
        async with opened(made, USUAL) as pilot:
            await go_to(pilot, BriefingScreen())
            await press(pilot, "right_square_bracket")
            shown = screen_text(pilot)
    finally:
        made.close()
    assert [f"{ord(c):x}" for c in shown if c != "\n" and not is_visible(c)] == []
    assert "pwned" not in shown
