"""The settings of the screen."""

from __future__ import annotations

from tui.actions.model import Action

PLACES: dict[str, str] = {
    "settings": "Settings",
    "settings_look": "How it looks",
    "settings_keys": "The keys",
    "capture": "A new key",
}

ACTIONS: tuple[Action, ...] = (
    Action("settings.edit", ("e",), "Edit file", "Open state/settings.yaml in your editor", "settings", "edit", 30),
    Action("look.keep", ("enter",), "Keep", "Keep this theme, or switch this on or off", "settings_look", "open", 10),
    Action(
        "keys.change",
        ("enter",),
        "New key",
        "Give this action the key that you press next",
        "settings_keys",
        "open",
        10,
    ),
    Action("keys.add", ("a",), "One more", "Give it the key that you press next as well", "settings_keys", "add", 11),
    Action(
        "keys.restore",
        ("d", "delete"),
        "As it came",
        "Give it back the keys that it came with",
        "settings_keys",
        "restore",
        12,
    ),
    Action("capture.out", ("escape",), "Out", "Leave its keys as they are", "capture", "out", 85, palette=False),
)
