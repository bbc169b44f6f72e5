"""The lists of the settings screen: how it looks, and every action with its keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.theme import BUILTIN_THEMES

from tui.actions import PLACES as HEADINGS
from tui.actions import bindings
from tui.actions.keys import key_of, shown
from tui.settings.keymap import BOUND, KEPT, Bound, Keymap, clashes
from tui.settings.text import clash_text, key_fault, lost_key
from tui.settings.themes import ABOUT, OURS
from tui.text.words import Line
from tui.widgets.columns import Column
from tui.widgets.row_list import RowList

SWITCHES = ("symbols", "mouse")
SWITCH_WORDS = {
    ("symbols", True): "● ◆ ▲ ✓ ✗",
    ("symbols", False): "plain ASCII",
    ("mouse", True): "on",
    ("mouse", False): "off",
}


@dataclass(frozen=True, slots=True)
class LookRow:
    """A theme, or something that is on or off."""

    name: str
    about: str
    is_on: bool
    is_theme: bool


def look_rows(theme: str, *, symbols: bool, mouse: bool) -> tuple[LookRow, ...]:
    """The two switches, our themes, and Textual's."""
    on = {"symbols": symbols, "mouse": mouse}
    switches = (LookRow(name, SWITCH_WORDS[name, on[name]], on[name], False) for name in SWITCHES)
    ours = (LookRow(each.name, ABOUT[each.name], each.name == theme, True) for each in OURS)
    others = (
        LookRow(name, "dark" if each.dark else "light", name == theme, True) for name, each in BUILTIN_THEMES.items()
    )
    return (*switches, *ours, *others)


class LookList(RowList[LookRow]):
    """Themes are tried on as the cursor moves; enter keeps one."""

    PLACES: ClassVar[tuple[str, ...]] = ("settings_look", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("settings_look")]
    TITLE = "look"

    def __init__(self, *, widget_id: str, classes: str) -> None:
        columns = (Column("", 1), Column("name", 17), Column("", least=8, rank=1))
        super().__init__(
            columns, key=lambda row: row.name, cells=_look_cells, heading=False, widget_id=widget_id, classes=classes
        )

    @property
    def summary(self) -> str:
        """What is being tried on."""
        row = self.row
        return "enter keeps it" if row is not None and row.is_theme and not row.is_on else ""

    def copied(self) -> tuple[str, str] | None:
        row = self.row
        return None if row is None or not row.is_theme else (row.name, "a theme's name")


def _look_cells(row: LookRow) -> tuple[Line, ...]:
    if row.is_theme:
        mark: Line = (("●" if row.is_on else " ", "accent"),)
        return mark, ((row.name, "strong" if row.is_on else "text"),), ((row.about, "dim"),)
    return ((" ", "dim"),), ((row.name, "text"),), ((row.about, "good" if row.is_on else "dim"),)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What can be done somewhere, and its keys."""

    bound: Bound
    keys: tuple[str, ...]
    is_changed: bool

    @property
    def names(self) -> str:
        return " ".join(shown(key) for key in self.keys)


def key_rows(keymap: Keymap) -> tuple[KeyRow, ...]:
    """Every action, place by place as in help."""
    places = {place: n for n, place in enumerate(HEADINGS)}
    ordered = sorted(BOUND.values(), key=lambda bound: places[bound.action.place])
    return tuple(KeyRow(bound, keymap.keys_of(bound), bound.id in keymap.changed) for bound in ordered)


class KeyList(RowList[KeyRow]):
    """Every action with its keys."""

    PLACES: ClassVar[tuple[str, ...]] = ("settings_keys", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("settings_keys")]
    TITLE = "keys"

    class Asked(Message):
        """Other keys are wanted for the row under the cursor: one more, or those it came with."""

        def __init__(self, row: KeyRow, wish: str) -> None:
            self.row, self.wish = row, wish
            super().__init__()

    def __init__(self, *, widget_id: str, classes: str) -> None:
        columns = (
            Column("keys", 10),
            Column("action", 14),
            Column("what it does", least=20, rank=3),
            Column("where", 12, rank=2),
        )
        super().__init__(columns, key=lambda row: row.bound.id, cells=_key_cells, widget_id=widget_id, classes=classes)

    @property
    def summary(self) -> str:
        changed = sum(row.is_changed for row in self.rows)
        return f"{changed} of your own" if changed else "as they came"

    def text_of(self, row: KeyRow) -> str:
        return f"{super().text_of(row)} {row.bound.id} {HEADINGS[row.bound.action.place]}"

    def copied(self) -> tuple[str, str] | None:
        """As it would stand in the file."""
        row = self.row
        return None if row is None else (f"{row.bound.id}: {','.join(row.keys)}", f"the keys of {row.bound.id}")

    def action_add(self) -> None:
        self._ask("add")

    def action_restore(self) -> None:
        self._ask("restore")

    def _ask(self, wish: str) -> None:
        if self.row is not None:
            self.post_message(self.Asked(self.row, wish))


def _key_cells(row: KeyRow) -> tuple[Line, ...]:
    action = row.bound.action
    came = " ".join(shown(key) for key in row.bound.keys) or "none"
    told: Line = ((action.description, "dim"),)
    if row.is_changed:
        told = ((f"came with {came}: ", "ask"), *told)
    keys: Line = ((row.names or "none", "ask" if row.is_changed else "strong" if row.keys else "faint"),)
    title = f"{action.title} {row.bound.keys[0]}" if "{key}" in action.handler else action.title
    return keys, ((title, "text"),), told, ((HEADINGS[action.place].lower(), "faint"),)


def with_key(row: KeyRow, key: str, *, adds: bool) -> tuple[str, ...]:
    """The keys of a row with this one: besides the others, or instead of them. Escape and enter stay either way."""
    before = row.keys if adds else tuple(k for k in row.keys if k in KEPT and k in row.bound.keys)
    return tuple(dict.fromkeys((*before, key) if adds else (key, *before)))


def fault_of(row: KeyRow, keys: tuple[str, ...], keymap: Keymap) -> str:
    """What is against these keys, in words; empty when nothing is."""
    return next(_faults(row, keys, keymap), "")


def _faults(row: KeyRow, keys: tuple[str, ...], keymap: Keymap) -> Iterator[str]:
    for key in keys:
        if fault := key_fault(row.bound, key_of(key), shown(key)):
            yield fault
    if lost := lost_key(row.bound, list(keys)):
        yield lost
    wanted = Keymap({**keymap.changed, row.bound.id: keys})
    for key, other in clashes(wanted, row.bound.id):
        yield clash_text(key, other)
