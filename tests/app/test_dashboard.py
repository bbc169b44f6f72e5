from __future__ import annotations

import pytest
from textual.events import Paste
from textual.widget import Widget

from core.orchestration import work_items
from core.store import reads
from core.store.schema import WorkItem
from core.store.transaction import Transaction
from tests.app.driving import SMALL, USUAL, WIDE, Driving, app_in, lines_of, notices, opened, press, screen_text, settle
from tests.app.inbox import ask
from tests.app.seeding import MINUTE, MORNING, SeededWorkspace, seed_work_item
from tui.questions.answering import NOT_DRAWN
from tui.screens.dashboard import Dashboard
from tui.screens.help import HelpDialog
from tui.screens.palette import Palette
from tui.screens.questions.decision import Decision
from tui.screens.scope.screen import ScopeReview
from tui.screens.work.new_work_item import NewWorkItem
from tui.screens.work.work_item import WorkItemScreen
from tui.widgets.briefing_pane import BriefingPane
from tui.widgets.key_bar import KeyBar
from tui.widgets.pipeline import IN_CELLS, Pipeline, shown_state
from tui.widgets.queue import Queue
from tui.widgets.tier_tree import TierTree
from tui.widgets.top_line import TopLine


async def test_the_header_tells_what_runs_what_waits_what_is_late_and_what_it_cost(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        header = lines_of(pilot.app.screen.query_one(TopLine))[0]
    assert "ledger, rowdown" in header
    assert "REPLAY" in header
    assert "2 running" in header
    assert "5 waiting for you" in header
    assert "1 overdue" in header
    assert "$0.21 today" in header


async def test_without_a_replayed_agent_the_header_does_not_speak_of_replay(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        assert "REPLAY" not in screen_text(pilot)


async def test_the_pipeline_has_a_row_for_each_work_item_with_a_cell_for_each_phase(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace) as pilot:
        lines = lines_of(pilot.app.screen.query_one(Pipeline))
    rows = {line.split()[0].lstrip("▌"): line for line in lines if line.strip()}
    export = next(line for line in lines if "Export reports as CSV" in line)
    assert "✓ 0.8s" in export
    assert "● 1m" in export
    assert "◆ asks" in next(line for line in lines if "Round tax totals" in line)
    assert "○ new" in next(line for line in lines if "Split rows.py" in line)
    assert len(rows) >= 7


async def test_finished_work_stands_below_what_is_not(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        assert [row.id for row in pilot.app.screen.query_one(Pipeline).rows] == [7, 6, 5, 4, 3, 2, 1]


async def test_the_queue_puts_what_needs_me_first_and_the_most_urgent_on_top(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        lines = [line for line in lines_of(pilot.app.screen.query_one(Queue)) if line.strip()][1:]
    assert lines[0].split()[:4] == ["▲", "immediate", "30m", "late"]
    assert "snoozed" in lines[-2]
    assert "seen" in lines[-1]


async def test_the_briefing_has_the_sections_that_have_something_to_say(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        text = "\n".join(
            "".join(part for part, _ in p.line) for p in pilot.app.screen.query_one(BriefingPane).paragraphs
        )
    assert "Urgent decisions" in text
    assert "Scope opportunities" not in text


@pytest.mark.parametrize(("key", "pane"), [("1", TierTree), ("2", Pipeline), ("3", Queue), ("4", BriefingPane)])
@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_a_digit_goes_to_its_pane_and_that_pane_can_be_seen(
    busy_workspace: SeededWorkspace, key: str, pane: type[Widget], size: tuple[int, int]
) -> None:
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, key)
        focused: Widget = pilot.app.screen.query_one(pane)
        assert pilot.app.focused is focused
        assert focused.size.height >= (6 if size == SMALL else 5)
        assert focused.size.width >= 36


@pytest.mark.parametrize(
    ("keys", "pane"),
    [
        (["tab"], "queue"),
        (["tab", "tab", "tab"], "agents"),
        (["shift+tab"], "agents"),
        (["h"], "agents"),
        (["h", "g", "l"], "work"),
        (["3", "left"], "agents"),
        (["4", "h"], "agents"),
    ],
)
async def test_going_from_pane_to_pane(busy_workspace: SeededWorkspace, keys: list[str], pane: str) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *keys)
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == pane


async def test_a_narrow_screen_shows_one_pane_and_the_names_of_the_others(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, USUAL) as pilot:
        shown = [p for p in Dashboard.PANES if pilot.app.screen.query_one(f"#{p}").display]
        assert shown == ["work"]
        assert "1 agents  2 work  3 questions  4 briefing" in screen_text(pilot)
        await pilot.resize_terminal(*WIDE)
        await settle(pilot)
        assert all(pilot.app.screen.query_one(f"#{p}").display for p in Dashboard.PANES)


async def test_plus_gives_the_screen_to_one_pane_and_escape_takes_it_back(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "3", "plus")
        assert pilot.app.screen.query_one(Queue).size.width == 120
        await press(pilot, "escape")
        assert pilot.app.screen.query_one(Pipeline).display


async def test_a_filter_follows_each_key_and_says_what_it_left(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "slash", "t", "a", "x")
        work = pilot.app.screen.query_one(Pipeline)
        assert [row.id for row in work.rows] == [6]
        assert str(work.border_subtitle) == "/tax: 1 of 7"
        await press(pilot, "enter")
        assert pilot.app.focused is work
        await press(pilot, "escape")
        assert len(work.rows) == 7


@pytest.mark.parametrize("word", ["new", "asks"])
async def test_a_filter_takes_the_words_that_stand_in_the_cells(busy_workspace: SeededWorkspace, word: str) -> None:
    async with opened(busy_workspace) as pilot:
        pipeline = pilot.app.screen.query_one(Pipeline)
        meant = [row.id for row in pipeline.rows if shown_state(row) in {s for s, w in IN_CELLS.items() if w == word}]
        await press(pilot, "slash", *word, "enter")
        assert {row.id for row in pipeline.rows} >= set(meant) != set()
        await press(pilot, "escape", "slash", "exclamation_mark", *word, "enter")
        assert not {row.id for row in pipeline.rows} & set(meant)


async def test_letters_in_the_filter_are_no_commands(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "slash", "n", "q", "1", "space", "x")
        assert isinstance(pilot.app.screen, Dashboard)
        assert pilot.app.screen.query_one(Pipeline).filter_text == "nq1 x"
        await press(pilot, "escape")
        assert pilot.app.screen.query_one(Pipeline).filter_text == ""


async def test_space_opens_the_next_question_that_needs_me(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        assert isinstance(pilot.app.screen, Decision)
        assert pilot.app.screen.escalation == 2


async def test_space_with_nothing_waiting_says_so(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await press(pilot, "space")
        assert notices(pilot) == ["Nothing waits for you."]


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_a_work_item_that_waits_to_be_accepted_is_what_waits(
    empty_workspace: SeededWorkspace, size: tuple[int, int]
) -> None:
    empty_workspace.at(MINUTE, lambda tx: work_items.create(tx, title="Tidy"))
    async with opened(empty_workspace, size) as pilot:
        await press(pilot, "3")
        shown = " ".join(screen_text(pilot).replace("│", " ").split())
        assert "1 work item waits to be accepted: 2, then a" in shown
        assert "Nothing waits for you." not in shown
        await press(pilot, "space")
        assert notices(pilot)[-1].startswith("No question waits; 1 work item waits to be accepted")
        await press(pilot, "2", "a", "3")
        assert "Nothing waits for you." in screen_text(pilot)


async def test_a_capital_p_opens_the_scope_review(scoped: SeededWorkspace) -> None:
    async with opened(scoped) as pilot:
        await press(pilot, "P")
        assert isinstance(pilot.app.screen, ScopeReview)


async def test_enter_goes_into_a_work_item_or_a_question_and_escape_comes_back(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "j", "enter")
        assert isinstance(pilot.app.screen, WorkItemScreen)
        assert pilot.app.screen.work_item == 6
        await press(pilot, "escape", "3", "j", "enter")
        assert isinstance(pilot.app.screen, Decision)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Dashboard)
        await press(pilot, "escape", "escape")
        assert isinstance(pilot.app.screen, Dashboard)


async def test_the_briefing_folds_to_its_heading(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "4", "enter")
        assert pilot.app.screen.query_one(BriefingPane).size.height == 0
        await press(pilot, "z")
        assert pilot.app.screen.query_one(BriefingPane).size.height > 0


async def test_the_footer_shows_the_keys_of_the_pane(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        assert "p pause" in lines_of(pilot.app.screen.query_one(KeyBar))[0]
        await press(pilot, "3")
        footer = lines_of(pilot.app.screen.query_one(KeyBar))[0]
        assert "a accept" in footer
        assert "! seen" in footer
        assert "p pause" not in footer


async def test_the_footer_follows_what_becomes_of_the_row(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        pilot.app.screen.query_one(Pipeline).go_to(2)
        await settle(pilot)
        assert "a accept" in lines_of(pilot.app.screen.query_one(KeyBar))[0]
        await press(pilot, "a")
        assert "a accept" not in lines_of(pilot.app.screen.query_one(KeyBar))[0]


async def test_a_list_without_rows_offers_no_keys_for_one(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "slash", *"nowhere", "enter")
        footer = lines_of(pilot.app.screen.query_one(KeyBar))[0]
        assert not [hint for hint in ("open", "pause", "accept", "diff") if hint in footer]
        await press(pilot, "escape")
        assert "p pause" in lines_of(pilot.app.screen.query_one(KeyBar))[0]


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_the_footer_always_shows_the_way_to_help(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    async with opened(busy_workspace, size) as pilot:
        assert "? help" in lines_of(pilot.app.screen.query_one(KeyBar))[0]


async def test_a_click_on_a_hint_does_what_its_key_does(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        bar = pilot.app.screen.query_one(KeyBar)
        await pilot.click(KeyBar, offset=(lines_of(bar)[0].index("? help") + 2, 0))
        await settle(pilot)
        assert isinstance(pilot.app.screen, HelpDialog)


async def test_help_lists_the_keys_of_this_place_the_nearest_first(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "3", "question_mark")
        text = screen_text(pilot)
        assert text.index("Answer as recommended") < text.index("Go into the row under the cursor")
        assert "Pause the work item" not in text
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Dashboard)


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_finds_a_command_and_runs_it(busy_workspace: SeededWorkspace, key: str) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, key)
        assert isinstance(pilot.app.screen, Palette)
        await press(pilot, *"fourth", "enter")
        assert pilot.app.focused is pilot.app.screen.query_one(BriefingPane)


async def test_the_palette_acts_on_the_row_under_the_cursor(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "colon", *"pause", "enter")
        facts = await busy_workspace.store.read(lambda r: reads.work_item_facts(r, 7))
    assert facts is not None
    assert facts.paused_at is not None


async def test_themes_and_ascii_glyphs_are_a_command_away(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "colon", *"light", "enter")
        assert pilot.app.theme == "apm-light"
        await press(pilot, "colon", *"ascii", "enter")
        drawn = screen_text(pilot).replace("日本語", "")
    assert {character for character in drawn if not character.isascii()} == set()


async def test_n_writes_a_new_work_item_that_may_start(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "n")
        assert isinstance(pilot.app.screen, NewWorkItem)
        await press(pilot, *"Fix it", "tab", "right", "tab", "right", "tab", "right", "right", "tab", *"Why", "f2")
        found = await busy_workspace.store.read(lambda r: reads.work_item(r, 8))
    assert found is not None
    assert (found.title, found.type, found.project, found.facts.impact) == ("Fix it", "bug", "rowdown", 2)
    assert found.facts.accepted_at is not None


async def test_a_work_item_without_a_title_is_not_sent(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "n", "f2")
        assert "Give it a title." in screen_text(pilot)
        assert isinstance(pilot.app.screen, NewWorkItem)


async def test_a_request_that_came_into_the_title_is_not_cut(busy_workspace: SeededWorkspace) -> None:
    pasted = "The export must work.\n" * 20
    async with opened(busy_workspace) as pilot:
        await press(pilot, "n")
        pilot.app.post_message(Paste(pasted))
        await settle(pilot)
        await press(pilot, "f2")
        assert "The title has 439 characters; at most 300" in " ".join(screen_text(pilot).split())
        assert isinstance(pilot.app.screen, NewWorkItem)
        assert len(pilot.app.screen.typed()["title"]) == 439


async def test_what_was_written_is_still_there_after_leaving(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "n", *"Half", "tab", "right", "escape", "n")
        assert isinstance(pilot.app.screen, NewWorkItem)
        assert pilot.app.screen.typed()["title"] == "Half"
        assert pilot.app.screen.typed()["type"] == "bug"


async def test_what_the_engine_commits_is_shown(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await busy_workspace.store.write(lambda tx: seed_work_item(tx, "Brand new"))
        await settle(pilot)
        work = pilot.app.screen.query_one(Pipeline)
        assert work.rows[0].title == "Brand new"
        assert work.row is not None
        assert work.row.id == 7, "the cursor stays on its row"


async def test_what_the_engine_runs_is_shown(busy_workspace: SeededWorkspace) -> None:
    engine = Driving()
    async with opened(busy_workspace, engine=engine) as pilot:
        assert "0 running" in screen_text(pilot)
        engine.run(5, "D1", "ac-writer", MORNING)
        await settle(pilot)
        assert "1 running" in screen_text(pilot)
        writer = next(line for line in lines_of(pilot.app.screen.query_one(TierTree)) if "ac-writer" in line)
        assert "● #5 0s" in writer


async def test_dialogs_do_not_stop_the_panes_behind_them(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        dashboard = pilot.app.screen
        await press(pilot, "question_mark")
        await busy_workspace.store.write(lambda tx: seed_work_item(tx, "Brand new"))
        await settle(pilot)
        assert dashboard.query_one(Pipeline).rows[0].title == "Brand new"


async def test_a_screen_that_was_covered_catches_up(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        await busy_workspace.store.write(lambda tx: work_items.cancel(tx, 7, by="ada"))
        await settle(pilot)
        await press(pilot, "escape")
        work = pilot.app.screen.query_one(Pipeline)
        assert next(row.state for row in work.rows if row.id == 7) == "cancelled"


async def test_time_that_passes_shows(busy_workspace: SeededWorkspace) -> None:
    engine = Driving(work_items=(7,))
    async with opened(busy_workspace, engine=engine) as pilot:
        busy_workspace.clock.now = MORNING + 5 * MINUTE
        app_in(pilot)._tick()
        await settle(pilot)
        assert "● 6m" in "\n".join(lines_of(pilot.app.screen.query_one(Pipeline)))
        assert "35m late" in "\n".join(lines_of(pilot.app.screen.query_one(Queue)))


async def test_an_error_of_the_store_is_told_in_a_sentence(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await busy_workspace.store.write(lambda tx: _close_work_item(tx))
        # Not by the key: the pane may know already, and would say it by itself.
        app_in(pilot).do(lambda tx: work_items.pause(tx, 7, by="ada"), "It is paused.")
        await settle(pilot)
        assert notices(pilot)[-1] == "Work item 7 is closed already; create a new one."


def _close_work_item(tx: object) -> None:
    tx.update(WorkItem, 7, closed_at=MORNING)  # type: ignore[attr-defined]
    tx.event("work_item.closed", work_item=7)  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_empty_panes_say_what_they_are_and_the_key_that_fills_them(
    empty_workspace: SeededWorkspace, size: tuple[int, int]
) -> None:
    async with opened(empty_workspace, size) as pilot:
        assert "n writes the first work item" in screen_text(pilot)
        await press(pilot, "3")
        assert "Nothing waits for you." in screen_text(pilot)
        await press(pilot, "1")
        assert "apm agents import" in screen_text(pilot)
        await press(pilot, "4")
        assert "Nothing to report yet." in screen_text(pilot)


async def test_a_key_for_a_line_that_is_not_drawn_yet_is_told_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        queue = pilot.app.screen.query_one(Queue)
        queue.action_accept()
        await settle(pilot)
        assert notices(pilot) == [NOT_DRAWN]


async def test_a_narrow_queue_leaves_the_room_to_what_is_asked_of_which_work_item(
    busy_workspace: SeededWorkspace,
) -> None:
    async with opened(busy_workspace, SMALL) as pilot:
        await press(pilot, "3")
        lines = lines_of(pilot.app.screen.query_one(Queue))[1:]
        assert lines[0].startswith("▌▲ late #4 Sign in w… · Which scheme")
        assert [line[1:7] for line in lines[1:7]] == ["◆ day ", "◆ day ", "◆ day ", "· week", "‖ away", "‖ seen"]


@pytest.mark.parametrize("size", [SMALL, USUAL, WIDE, (200, 60)])
async def test_a_long_title_leaves_its_question_room(empty_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    def write(tx: Transaction) -> None:
        item = seed_work_item(tx, "Fill the tables of a document from the CSV files beside it")
        ask(tx, "Strictness of the marker: which one?", work_item=item)

    empty_workspace.store.write_now(write)
    async with opened(empty_workspace, size) as pilot:
        await press(pilot, "3")
        line = next(line for line in lines_of(pilot.app.screen.query_one(Queue)) if "Fill t" in line)

    assert "· Strictness" in line
