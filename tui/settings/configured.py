"""What the app takes from its settings: theme, glyphs, mouse and keys."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App
from textual.filter import LineFilter
from textual.reactive import var

from core.sanitise import sanitise
from tui.settings.file import FILE_NAME, NOTHING_SET, Settings, SettingsFile, ascii_at_start, theme_at_start
from tui.settings.keymap import AS_IT_CAME, Keymap, run_key
from tui.settings.themes import OURS, PLAIN_BORDERS, opposite, variables_of

MOST_FAULTS = 3
"""Faults of a broken file that one notice tells; `apm doctor` lists all."""


class ConfiguredApp(App[int]):
    """An app that looks and listens as `state/settings.yaml` says, and follows it."""

    ascii_glyphs: var[bool] = var(False)

    def __init__(self) -> None:
        super().__init__()
        self.keymap: Keymap = AS_IT_CAME
        self.recent_commands: list[str] = []
        """Ids of what was run from the palette, the newest first."""
        self.settings_file: SettingsFile | None = None
        self._settings = NOTHING_SET
        for theme in OURS:
            self.register_theme(theme)
        self.theme = theme_at_start(NOTHING_SET, os.environ, self.available_themes)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables_of(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        plain = [PLAIN_BORDERS] if self.ascii_glyphs else []
        return [*super().get_line_filters(), *plain]

    async def on_key(self, event: events.Key) -> None:
        """Keys that a person gave another meaning; all others go on to the bindings."""
        if await run_key(self, self.keymap, event.key):
            event.prevent_default()

    def on_mount(self) -> None:
        if not self._settings.mouse:
            self._use_mouse(False)

    def follow_settings(self, state: Path) -> None:
        """Apply the settings in this `state/` folder, now and whenever `look_at_settings` finds them changed.

        Before the app runs, the first picture is drawn in the theme that is set.
        """
        self.settings_file = SettingsFile(state / FILE_NAME)
        self.ascii_glyphs = self._wants_ascii(NOTHING_SET)
        self.look_at_settings()
        if self._settings.theme is not None:
            # TEXTUAL_THEME is said for this one start; what is chosen later goes before it.
            self.theme = theme_at_start(self._settings, os.environ, self.available_themes)

    def look_at_settings(self) -> None:
        """Cheap while the file stays as it is: one look at its date."""
        file = self.settings_file
        was_wrong = file is not None and file.fault is not None
        if file is None or not file.look():
            return
        if file.fault is None:
            self.apply_settings(file.settings)
            if was_wrong:
                self.clear_notifications()
                self.notify(f"state/{FILE_NAME} is in order again.", markup=False, timeout=4)
            return
        told = [str(fault) for fault in file.fault.faults]
        more = f"\n(and {len(told) - MOST_FAULTS} more: `apm doctor` lists them)" if len(told) > MOST_FAULTS else ""
        text = "\n".join(told[:MOST_FAULTS]) + more + "\nUntil that is mended the screen stays as it is."
        self.notify(sanitise(text, limit=900), severity="error", markup=False, timeout=20)

    def apply_settings(self, settings: Settings) -> None:
        """Bring in what the file says otherwise than before; what was chosen for the moment stays besides."""
        before, self._settings = self._settings, settings
        if settings.theme != before.theme:
            self.theme = theme_at_start(settings, {}, self.available_themes)
        if settings.ascii != before.ascii:
            self.ascii_glyphs = self._wants_ascii(settings)
        if settings.mouse != before.mouse:
            self._use_mouse(settings.mouse)
        if settings.keymap != self.keymap:
            self.keymap = settings.keymap
            for screen in self.screen_stack:
                screen.query("KeyBar").refresh()

    def _wants_ascii(self, settings: Settings) -> bool:
        if self.is_headless:
            return bool(settings.ascii)
        return ascii_at_start(settings, os.environ, getattr(sys.__stderr__, "encoding", None))

    def _use_mouse(self, wanted: bool) -> None:
        """The driver asks the terminal for its mouse only where it believes that it has one."""
        driver: Any = self._driver
        if not hasattr(driver, "_enable_mouse_support"):
            return
        if wanted:
            driver._mouse = True
            driver._enable_mouse_support()
        else:
            driver._disable_mouse_support()
            driver._mouse = False

    def action_toggle_theme(self) -> None:
        self.theme = opposite(self.theme, self.available_themes)


def keymap_of(app: object) -> Keymap:
    """The keys in force in an app."""
    return app.keymap if isinstance(app, ConfiguredApp) else AS_IT_CAME
