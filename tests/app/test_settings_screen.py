"""The settings screen: themes are tried on, keys are captured, and what is set elsewhere is shown as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.governance.budget_questions import set_budget
from core.governance.budgets import Amounts
from core.governance.notices.channels import FILE_NAME as CHANNELS_FILE
from core.store.schema import Notification
from core.store.transaction import Transaction
from tests.app import money
from tests.app.driving import SMALL, WIDE, app_in, app_of, notices, press, screen_text, settle
from tests.app.seeding import SeededWorkspace
from tui.screens.dashboard import Dashboard
from tui.screens.questions.decision import Decision
from tui.screens.settings.facts import RuntimesPane
from tui.screens.settings.key_capture import KeyCapture
from tui.screens.settings.screen import EDITED_NAME, Settings
from tui.settings.themes import DARK, LIGHT

HERE = ("0", "8")
KEYS = (*HERE, "2")
ROOT = Path(__file__).parents[2]


def file(made: SeededWorkspace) -> Path:
    return made.state / "settings.yaml"


@asynccontextmanager
async def started(made: SeededWorkspace, size: tuple[int, int] = WIDE) -> AsyncIterator[Pilot[int]]:
    """The app as `apm` starts it: with the settings of its workspace."""
    app = app_of(made)
    app.follow_settings(made.state)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


async def test_it_is_the_eighth_in_the_menu_and_escape_leaves_it(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE)
        assert isinstance(pilot.app.screen, Settings)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Dashboard)


async def test_a_theme_is_tried_on_as_the_cursor_moves_and_taken_off_again(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "j")
        assert pilot.app.theme == LIGHT.name
        await press(pilot, "2")
        assert pilot.app.theme == DARK.name
        assert not file(busy_workspace).exists()


async def test_leaving_takes_off_what_was_only_tried_on(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "j", "escape")
        assert pilot.app.theme == DARK.name


async def test_enter_keeps_a_theme_also_for_the_next_start(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "j", "enter", "escape")
        assert pilot.app.theme == LIGHT.name
    async with started(busy_workspace) as pilot:
        assert pilot.app.theme == LIGHT.name


async def test_plain_characters_and_the_mouse_are_switched_and_kept(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "g", "enter", "j", "enter")
        assert app_in(pilot).ascii_glyphs
        assert "plain ASCII" in screen_text(pilot)
        assert "ascii: true" in file(busy_workspace).read_text()
        assert "mouse: false" in file(busy_workspace).read_text()


async def test_a_new_key_works_at_once_and_is_kept(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS, "enter")
        assert isinstance(pilot.app.screen, KeyCapture)
        await press(pilot, "f5")
        assert "Next for me: f5." in notices(pilot)[-1]
        assert "next: f5" in file(busy_workspace).read_text()
        await press(pilot, "f5")
        assert isinstance(pilot.app.screen, Decision)


async def test_a_key_that_is_taken_is_refused_with_whose_it_is(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS, "enter", "q")
        assert isinstance(pilot.app.screen, KeyCapture)
        assert "q is taken by quit (everywhere: Quit)" in screen_text(pilot)
        assert not file(busy_workspace).exists()


async def test_escape_leaves_the_keys_as_they_are(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS, "enter", "escape")
        assert isinstance(pilot.app.screen, Settings)
        assert not file(busy_workspace).exists()


async def test_one_more_key_stands_beside_the_others(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS, "a", "f5")
        assert "next: space,f5" in file(busy_workspace).read_text().replace('"', "")


async def test_a_new_key_for_what_escape_does_stands_beside_escape(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS, "slash", *"confirm.no", "enter", "enter", "f5")
        assert "confirm.no: f5,esc" in file(busy_workspace).read_text().replace('"', "")


async def test_keys_are_given_back_as_they_came(busy_workspace: SeededWorkspace) -> None:
    file(busy_workspace).write_text("keys:\n  # mine\n  next: f5\n  quit: f10\n")
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS, "d")
        assert "next" not in file(busy_workspace).read_text()
        assert "quit: f10" in file(busy_workspace).read_text()
        await press(pilot, "d")
        assert "has the keys that it came with" in notices(pilot)[-1]


async def test_changed_keys_are_counted_and_say_what_they_came_with(busy_workspace: SeededWorkspace) -> None:
    file(busy_workspace).write_text("keys: {next: f5}\n")
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS)
        assert "1 of your own" in screen_text(pilot)
        assert "came with space" in screen_text(pilot)


async def test_a_broken_file_is_left_alone(busy_workspace: SeededWorkspace) -> None:
    file(busy_workspace).write_text("theme: [\n")
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS, "enter", "f5")
        assert "Nothing was changed." in notices(pilot)[-1]
        assert file(busy_workspace).read_text() == "theme: [\n"


async def test_the_list_follows_an_edit_of_the_file(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *KEYS)
        file(busy_workspace).write_text("keys: {next: f5}\n")
        app_in(pilot).look_at_settings()
        pilot.app.screen.tick(app_in(pilot).now())  # type: ignore[attr-defined]
        await settle(pilot)
        assert "1 of your own" in screen_text(pilot)


async def test_channels_say_what_was_sent_last_and_what_failed(busy_workspace: SeededWorkspace) -> None:
    def told(tx: Transaction) -> None:
        for key, outcome, error in (("a", "sent", None), ("b", "failed", "no route to host"), ("c", None, "busy")):
            tx.insert(
                Notification,
                key=key,
                channel="file",
                subject=f"Question {key}",
                body="",
                at=tx.now,
                attempts=1,
                outcome=outcome,
                outcome_at=None if outcome is None else tx.now,
                error=error,
            )
        tx.event("notification.queued", queued=3, suppressed=0)

    busy_workspace.at(300_000, told)
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "3", "plus")
        text = screen_text(pilot)
        assert "✓ sent 5m ago" in text
        assert "✗ failed 5m ago  Question b (no route to host)" in text
        assert "1 notice waits: busy" in text


async def test_a_channel_shows_its_scheme_and_never_its_url(busy_workspace: SeededWorkspace) -> None:
    (busy_workspace.state / CHANNELS_FILE).write_text(
        "version: 1\nchannels:\n  - {name: team, url: 'slack://T0KEN/secret-words/room'}\n"
    )
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "3", "plus")
        assert "slack, told of everything" in screen_text(pilot)
        assert "secret" not in screen_text(pilot)


async def test_a_broken_file_of_channels_is_told_with_its_line(busy_workspace: SeededWorkspace) -> None:
    (busy_workspace.state / CHANNELS_FILE).write_text("version: 1\nchannels: 3\n")
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "3", "plus")
        assert "notifications.yaml:2" in screen_text(pilot)


async def test_runtimes_are_those_of_the_team_and_of_this_machine(busy_workspace: SeededWorkspace) -> None:
    (busy_workspace.folder / "agents.yaml").write_bytes((ROOT / "agents.yaml").read_bytes())
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "4", "plus")
        text = screen_text(pilot)
        assert "orchestrator  tool" in text
        assert "can run" in text
        assert "tool, offline, human" in text
        assert "auto" in text
        assert "replay (no recording is set)" in text


async def test_models_are_told_with_what_they_lack_by_name_and_never_by_value(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setattr("core.orchestration.model_runtimes.find_spec", lambda _: object())
    busy_workspace.at(0, money.rules)
    busy_workspace.at(0, lambda tx: money.pay(tx, money.WRITER, 1_000, 4.5))
    busy_workspace.at(0, lambda tx: set_budget(tx, "day", Amounts(5.0, None), by="ada", reason="small day"))
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "4", "plus")
        pane = pilot.app.screen.query_one(RuntimesPane)
        told = ["".join(text for text, _ in (*p.line, *p.tail)).rstrip() for p in pane.paragraphs]
    lines = [" ".join(line.split()) for line in told]
    assert "· anthropic ANTHROPIC_API_KEY is not set" in lines
    assert "✓ openai-compatible configured" in lines
    assert "auto here openai-compatible, which is configured" in lines
    assert "each delegation $3.00, 5.0M tok set by agents.yaml" in lines
    assert "today (UTC) $4.50 of $5.00 set by ada ▲ low" in lines
    assert "the workspace $4.50, no limit set by agents.yaml" in lines
    assert "sk-very-secret" not in "".join(told)


async def test_where_the_teams_file_is_missing_that_is_said(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "4", "plus")
        assert "agents.yaml:1: cannot be read" in screen_text(pilot)


async def test_the_file_is_opened_in_the_editor_and_followed(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def edit(_: object, text: str, **__: object) -> str:
        assert "# theme:" in text
        return "theme: nord\n"

    monkeypatch.setattr("tui.editing.edit_text", edit)
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "e")
        assert pilot.app.theme == "nord"
        assert file(busy_workspace).read_text() == "theme: nord\n"


async def test_what_somebody_else_changed_while_the_editor_was_open_stays(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def edit(_: object, text: str, **__: object) -> str:
        file(busy_workspace).write_text("mouse: false\n")
        return "theme: nord\n"

    monkeypatch.setattr("tui.editing.edit_text", edit)
    async with started(busy_workspace) as pilot:
        await press(pilot, *HERE, "e")
        assert file(busy_workspace).read_text() == "mouse: false\n"
        assert (busy_workspace.state / EDITED_NAME).read_text() == "theme: nord\n"
        assert f"what you wrote is in state/{EDITED_NAME}" in notices(pilot)[-1]


@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
async def test_every_pane_can_be_read_on_the_smallest_screen(busy_workspace: SeededWorkspace, pane: str) -> None:
    async with started(busy_workspace, SMALL) as pilot:
        await press(pilot, *HERE, pane)
        lines = screen_text(pilot).splitlines()
        assert len(lines) == SMALL[1]
        assert "help" in lines[-1]
        assert sum(bool(line.strip()) for line in lines[2:-1]) >= 3


async def test_a_file_that_was_mended_says_so_and_its_faults_go(busy_workspace: SeededWorkspace) -> None:
    file(busy_workspace).write_text("theme: nonsuch\n", encoding="utf-8")
    async with started(busy_workspace) as pilot:
        assert "state/settings.yaml:1:8" in notices(pilot)[0]
        file(busy_workspace).write_text("theme: apm-light\n# mended\n", encoding="utf-8")
        app_in(pilot).look_at_settings()
        await settle(pilot)
        assert notices(pilot) == ["state/settings.yaml is in order again."]


async def test_u_does_not_reach_past_a_setting(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        await press(pilot, "3", "s", "1", *HERE, "j", "enter", "u")
        assert notices(pilot)[-1].startswith("Settings are not taken back by u")
