"""Keys that come all at once do what they would do one by one."""

from __future__ import annotations

import asyncio

from textual import events
from textual.widget import Widget

from tests.app.driving import app_in, opened, settle
from tests.app.seeding import SeededWorkspace
from tui.screens.dialogs.choice import ChoiceDialog
from tui.widgets.cards import Card
from tui.widgets.filter_bar import FilterBar
from tui.widgets.queue import Queue


def key(name: str) -> events.Key:
    return events.Key(name, name if len(name) == 1 else None)


async def test_a_filter_written_at_once_takes_all_its_letters(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app = app_in(pilot)
        before = len(app.screen_stack)
        for name in ("3", "slash", "m", "a", "j", "o", "r"):
            app.post_message(events.Key(name, "/" if name == "slash" else name))
        await settle(pilot)
        assert app.screen.query_one(Queue).filter_text == "major"
        assert app.screen.query_one(FilterBar).value == "major"
        assert len(app.screen_stack) == before


async def test_a_key_after_the_one_that_opens_a_dialog_goes_to_the_dialog(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app = app_in(pilot)
        for name in ("3", "s", "j"):
            app.post_message(key(name))
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, ChoiceDialog)
        assert dialog.query_one("#cards").cursor == 1  # type: ignore[attr-defined]


async def test_what_is_pasted_after_a_key_goes_where_the_key_led(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app = app_in(pilot)
        app.post_message(key("3"))
        app.post_message(events.Key("slash", "/"))
        app.post_message(events.Paste("a1 tax"))
        await settle(pilot)
        assert app.screen.query_one(Queue).filter_text == "a1 tax"


async def test_a_key_that_was_typed_before_a_dialog_had_its_widgets_is_not_for_it(
    busy_workspace: SeededWorkspace,
) -> None:
    may_mount = asyncio.Event()

    class Slow(ChoiceDialog):
        async def mount_composed_widgets(self, widgets: list[Widget]) -> None:
            await may_mount.wait()
            await super().mount_composed_widgets(widgets)

    async with opened(busy_workspace) as pilot:
        app, dialog = app_in(pilot), Slow("Which?", [Card("one", "The first"), Card("two", "The second")])
        app.push_screen(dialog)
        try:
            assert await app.run_action("pick(1)", dialog)
        finally:
            may_mount.set()
        await settle(pilot)
        assert app.screen is dialog
        assert await app.run_action("pick(1)", dialog)
        await settle(pilot)
        assert dialog not in app.screen_stack
