"""Settings: how it looks, its keys; and what is set elsewhere, shown with where: notices and runtimes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar, cast

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from core.contract import ApmError
from tui.actions import bindings
from tui.actions.keys import shown
from tui.background import in_background
from tui.screens.pane_screen import PaneScreen
from tui.screens.settings.facts import NoticesPane, RuntimesPane
from tui.screens.settings.key_capture import KeyCapture
from tui.screens.settings.lists import KeyList, KeyRow, LookList, LookRow, fault_of, key_rows, look_rows, with_key
from tui.settings import text as settings_text
from tui.settings.configured import ConfiguredApp
from tui.settings.file import FILE_NAME, NOTHING_SET
from tui.settings.file import Settings as SettingsRow
from tui.settings.keymap import Keymap
from tui.undoing import Undo

EDITED_NAME = f"{FILE_NAME}.edited"
"""Where the text from an editor goes that would undo what somebody else has changed meanwhile."""


class Settings(PaneScreen):
    """Four panes. What is changed here is written to the file and holds at once."""

    CSS_PATH = "../../styles/settings.tcss"
    PLACES: ClassVar[tuple[str, ...]] = ("settings", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("settings")]
    PANES: ClassVar[tuple[str, ...]] = ("look", "keys", "notices", "runtimes")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("look", 1): "keys",
        ("keys", -1): "look",
        ("notices", 1): "runtimes",
        ("runtimes", -1): "notices",
    }

    def __init__(self) -> None:
        super().__init__()
        self._kept_theme = ""
        """The theme that stays when the one that is being tried on is not kept."""
        self._looks: tuple[LookRow, ...] = ()
        self._keymap: Keymap | None = None

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            Vertical(
                LookList(widget_id="look", classes="pane"),
                NoticesPane(widget_id="notices", classes="pane"),
                id="settings-left",
                classes="column",
            ),
            Vertical(
                KeyList(widget_id="keys", classes="pane"),
                RuntimesPane(widget_id="runtimes", classes="pane"),
                id="settings-right",
                classes="column",
            ),
        )

    def on_mount(self) -> None:
        if self.configured.settings_file is None:
            self.configured.follow_settings(self.apm.workspace.state)
        self._kept_theme = self.app.theme
        self._show_all()
        # Once it is laid out, so that what stands above stays in sight.
        self.call_after_refresh(self.query_one(LookList).go_to, self._kept_theme)

    def on_unmount(self) -> None:
        self._take_off()

    @property
    def configured(self) -> ConfiguredApp:
        return cast(ConfiguredApp, self.app)

    @property
    def file(self) -> Path:
        return self.apm.workspace.state / FILE_NAME

    @property
    def set_now(self) -> SettingsRow:
        file = self.configured.settings_file
        return file.settings if file is not None else NOTHING_SET

    def tick(self, now: int) -> None:
        super().tick(now)
        if self.query("LookList") and self.query("KeyList"):  # else the screen is coming or going
            self._show_all()

    def _show_all(self) -> None:
        """Rows as things stand, where they are others than those shown: the file may have been edited meanwhile."""
        app = self.configured
        looks = look_rows(self._kept_theme, symbols=not app.ascii_glyphs, mouse=self.set_now.mouse)
        if looks != self._looks:
            self._looks = looks
            self.query_one(LookList).set_rows(looks)
        if app.keymap is not self._keymap:
            self._keymap = app.keymap
            self.query_one(KeyList).set_rows(key_rows(app.keymap))
        self.refresh_titles()

    # How it looks

    @on(LookList.Moved, "#look")
    def _try_on(self, message: LookList.Moved) -> None:
        row: LookRow | None = message.row
        if row is not None and self.query_one(LookList).has_focus:
            self.app.theme = row.name if row.is_theme else self._kept_theme
            self.refresh_titles()

    def on_descendant_blur(self) -> None:
        if not self.query_one(LookList).has_focus:
            self._take_off()

    def _take_off(self) -> None:
        """Back to the theme that is kept."""
        if self._kept_theme and self.app.theme != self._kept_theme:
            self.app.theme = self._kept_theme

    @on(LookList.Opened, "#look")
    async def _keep(self, message: LookList.Opened) -> None:
        row: LookRow = message.row
        if row.is_theme:
            if await self._write(lambda: settings_text.set_value(self.file, "theme", row.name), f"Theme: {row.name}."):
                self.app.theme = self._kept_theme = row.name
        elif row.name == "symbols":
            wanted = not self.configured.ascii_glyphs
            said = "Plain ASCII characters." if wanted else "Symbols and thin lines."
            if await self._write(lambda: settings_text.set_value(self.file, "ascii", wanted), said):
                self.configured.ascii_glyphs = wanted
        else:
            wanted = not self.set_now.mouse
            await self._write(
                lambda: settings_text.set_value(self.file, "mouse", wanted), f"Mouse: {'on' if wanted else 'off'}."
            )
        self._show_all()

    # Keys

    @on(KeyList.Opened, "#keys")
    async def _change(self, message: KeyList.Opened) -> None:
        self._capture(message.row, adds=False)

    @on(KeyList.Asked)
    async def _asked(self, message: KeyList.Asked) -> None:
        row = message.row
        if message.wish == "add":
            self._capture(row, adds=True)
        elif row.is_changed:
            await self._set_keys(row, row.bound.keys)
        else:
            self.apm.tell(f"{row.bound.action.title} has the keys that it came with.")

    def _capture(self, row: KeyRow, *, adds: bool) -> None:
        keymap = self.configured.keymap

        def fault(key: str) -> str:
            return fault_of(row, with_key(row, key, adds=adds), keymap)

        def pressed(key: str | None) -> None:
            if key is not None:
                in_background(self, self._set_keys(row, with_key(row, key, adds=adds)), group="writes")

        self.app.push_screen(KeyCapture(row.bound, row.keys, fault, adds=adds), pressed)

    async def _set_keys(self, row: KeyRow, keys: tuple[str, ...]) -> None:
        names = " ".join(shown(key) for key in keys) or "no key"
        said = f"{row.bound.action.title}: {names}."
        if await self._write(lambda: settings_text.set_keys(self.file, row.bound.id, keys), said):
            self._show_all()

    async def _write(self, work: Callable[[], None], said: str) -> bool:
        """Change the file, bring it in and say so; whether that went well."""
        try:
            await asyncio.to_thread(work)
        except (ApmError, OSError) as error:
            self.apm.complain(f"Nothing was changed. {error}")
            return False
        self.configured.look_at_settings()
        self.apm.undo.push(Undo("Settings are not taken back by u: choose what was before.", None))
        self.apm.tell(f"{said} Kept in state/{FILE_NAME}.")
        return True

    # The file

    def action_edit(self) -> None:
        in_background(self, self._edit(), group="writes")

    def _file_text(self) -> str:
        return self.file.read_text(encoding="utf-8") if self.file.exists() else settings_text.EXAMPLE

    async def _edit(self) -> None:
        """What comes back is kept as it is: a mistake in it changes nothing, and is told with its line."""
        from core.registry.sources import replace_file
        from tui.editing import edit_text

        try:
            text = self._file_text()
            edited = await edit_text(self.apm, text, what=f"state/{FILE_NAME}")
            if edited is None:
                return
            if self._file_text() != text:
                await asyncio.to_thread(replace_file, self.file.with_name(EDITED_NAME), edited.encode())
                self.apm.complain(
                    f"state/{FILE_NAME} was changed by somebody else meanwhile and is as they left it; what you wrote "
                    f"is in state/{EDITED_NAME}."
                )
                return
            await asyncio.to_thread(replace_file, self.file, edited.encode())
        except (OSError, UnicodeDecodeError) as error:
            self.apm.complain(f"state/{FILE_NAME} cannot be edited: {error}")
            return
        self.configured.look_at_settings()
        self._kept_theme = self.set_now.theme or self._kept_theme
        self._show_all()
