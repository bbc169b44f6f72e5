"""Reading and writing `state/settings.yaml`: every setting is checked, and comments and order survive a change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from textual.theme import BUILTIN_THEMES

from core.contract import ApmError, Json
from core.registry import documents
from core.registry.documents import DocumentError, did_you_mean
from core.sanitise import one_line
from tui.actions import DIGITS
from tui.actions import PLACES as HEADINGS
from tui.actions.keys import SAME_AS, is_typed, key_of, shown
from tui.settings.file import FILE_NAME, NOTHING_SET, Fault, Settings, SettingsError
from tui.settings.keymap import BOUND, KEPT, TYPED_IN, Bound, Keymap, clashes
from tui.settings.themes import OURS

THEMES = (*(theme.name for theme in OURS), *BUILTIN_THEMES)
"""The themes that can be set, ours first."""

VERSION = "version"
"""May stand at the head of the file, as in the others of a workspace; there is one so far."""
HEAD = "# How this workspace looks on the screen, and its keys. Read at start, and whenever it changes.\n"
EXAMPLE = f"""{HEAD}
# theme: {OURS[0].name}        # {", ".join(theme.name for theme in OURS[1:])}, or one of Textual's
# ascii: true           # plain characters instead of symbols; without it the terminal decides
# mouse: true
# keys:                 # the settings screen lists every action; what is written here takes the place of all its keys
#   queue.accept: a
#   list.down: "j,down"
"""
"""What a person finds who opens the file before there is one."""


def read(path: Path) -> Settings:
    """What the file sets. Raises SettingsError with every fault and its line."""
    try:
        return settings_of(path.read_bytes())
    except OSError as error:
        raise SettingsError((Fault(1, 0, f"cannot be read: {(error.strerror or str(error)).lower()}"),)) from None


def settings_of(content: bytes) -> Settings:
    """What the text of a file sets. Raises SettingsError."""
    try:
        document = documents.parse(content, FILE_NAME)
    except DocumentError as error:
        raise SettingsError(tuple(Fault(p.line, 0, _told(p.place, p.text)) for p in error.problems)) from None
    if document.data is None:
        return NOTHING_SET
    check = _Check(content.decode("utf-8-sig"))
    found = check.settings(document.data)
    if check.faults:
        raise SettingsError(tuple(check.faults))
    return found


def _told(place: str, text: str) -> str:
    return f"{place}: {text}" if place else text


@dataclass(frozen=True, slots=True)
class _Marks:
    """Where a key and its value stand; lines and columns count from 1."""

    key: tuple[int, int]
    value: tuple[int, int]


class _Check:
    """One file on its way to Settings: what is wrong is noted, and the rest is read on."""

    def __init__(self, text: str) -> None:
        self.faults: list[Fault] = []
        self._marks = dict(_marks_of(yaml.compose(text, Loader=yaml.SafeLoader), ()))

    def settings(self, data: Any) -> Settings:
        if not isinstance(data, Mapping):
            self.faults.append(Fault(1, 1, f"is no mapping; it holds lines such as `theme: {THEMES[0]}`"))
            return NOTHING_SET
        for name in data:
            if name not in _READERS and name != VERSION:
                known = ", ".join(_READERS)
                hint = did_you_mean(name, _READERS) or f"; there are {known}"
                self._fault((name,), f"{one_line(name, 60)} is no setting{hint}")
        if data.get(VERSION, 1) != 1 or data.get(VERSION) is True:
            told = f"version: this apm reads version 1, not {one_line(str(data[VERSION]), 60)}"
            self._fault((VERSION,), told, of_value=True)
        found = {name: reader(self, (name,), data[name]) for name, reader in _READERS.items() if name in data}
        return Settings(
            theme=found.get("theme"),
            ascii=found.get("ascii"),
            mouse=found.get("mouse", True) is not False,
            keymap=found.get("keys") or NOTHING_SET.keymap,
        )

    def theme(self, place: tuple[str, ...], value: Any) -> str | None:
        if isinstance(value, str) and value in THEMES:
            return value
        hint = did_you_mean(str(value), THEMES) or f"; there are {', '.join(THEMES[:5])} and Textual's own"
        self._fault(place, f"theme: {one_line(str(value), 60)} is no theme{hint}", of_value=True)
        return None

    def switch(self, place: tuple[str, ...], value: Any) -> bool | None:
        if isinstance(value, bool):
            return value
        self._fault(place, f"{place[-1]}: is true or false, not {one_line(str(value), 60)}", of_value=True)
        return None

    def keys(self, place: tuple[str, ...], value: Any) -> Keymap | None:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self._fault(place, "keys: is a mapping of actions to keys, such as `queue.accept: a`", of_value=True)
            return None
        changed: dict[str, tuple[str, ...]] = {}
        for name, given in value.items():
            bound = self._bound((*place, name), name)
            keys = None if bound is None else self._keys_of((*place, name), bound, given)
            if bound is not None and keys is not None and keys != bound.keys:
                changed[name] = keys
        keymap = Keymap(changed)
        for name in changed:
            self._clashes((*place, name), keymap, name)
        return keymap

    def _bound(self, place: tuple[str, ...], name: str) -> Bound | None:
        if name in BOUND:
            return BOUND[name]
        row = f"{name}.{DIGITS[0]}"
        if row in BOUND:
            self._fault(place, f"{name} is a row of digits; its keys are named one by one, from {row} on")
        else:
            hint = did_you_mean(name, BOUND) or "; the settings screen (`0`, then `8`) lists all of them"
            self._fault(place, f"{one_line(name, 60)} is no action{hint}")
        return None

    def _keys_of(self, place: tuple[str, ...], bound: Bound, value: Any) -> tuple[str, ...] | None:
        given = _listed(value)
        if given is None:
            self._fault(place, f"{bound.id}: is a key or several (`n,down`), or [] for none", of_value=True)
            return None
        found: list[str] = []
        for word in given:
            key = key_of(word)
            fault = key_fault(bound, key, word)
            if fault:
                self._fault(place, f"{bound.id}: {fault}", of_value=True)
                return None
            if key is not None and key not in found:
                found.append(key)
        lost = lost_key(bound, found)
        if lost:
            self._fault(place, f"{bound.id}: {lost}", of_value=True)
            return None
        return tuple(found)

    def _clashes(self, place: tuple[str, ...], keymap: Keymap, name: str) -> None:
        for key, other in clashes(keymap, name):
            # Of two that both took the key the later line is told.
            later = other.id in keymap.changed and key not in other.keys
            if not later or self._marks[place].key > self._marks[(*place[:-1], other.id)].key:
                self._fault(place, f"{name}: {clash_text(key, other)}", of_value=True)

    def _fault(self, place: tuple[str, ...], text: str, *, of_value: bool = False) -> None:
        marks = self._marks.get(place, _Marks((1, 1), (1, 1)))
        line, column = marks.value if of_value else marks.key
        self.faults.append(Fault(line, column, text))


_READERS: dict[str, Callable[[_Check, tuple[str, ...], Any], Any]] = {
    "theme": _Check.theme,
    "ascii": _Check.switch,
    "mouse": _Check.switch,
    "keys": _Check.keys,
}
"""Every setting, and what reads it."""


def key_fault(bound: Bound, key: str | None, word: str) -> str:
    """What is wrong with giving this key to this action, by itself; empty when nothing is."""
    if key is None:
        hint = did_you_mean(word, _KEY_WORDS) if len(word) > 1 else ""
        return f"{one_line(word, 40)!r} is no key{hint or ', such as a, G, f5, ctrl+t, pgdn or esc'}"
    if key in SAME_AS:
        return f"{shown(key)} cannot be told from {shown(SAME_AS[key])} in a terminal"
    if key in KEPT and key not in bound.keys:
        return f"{shown(key)} keeps its meaning everywhere; take another key"
    if bound.action.place in TYPED_IN and is_typed(key):
        return f"{shown(key)} is typed into the text here; take a key such as f5 or ctrl+t"
    return ""


_KEY_WORDS = ("escape", "enter", "space", "tab", "pagedown", "pageup", "home", "end", "backspace", "delete")


def lost_key(bound: Bound, keys: list[str]) -> str:
    """Which key that must stay would be taken away, in words; empty when none would."""
    lost = [key for key in KEPT if key in bound.keys and key not in keys]
    if not lost:
        return ""
    kept = ",".join([*map(shown, keys), shown(lost[0])])
    return f"{shown(lost[0])} cannot be taken from it; write {kept!r}"


def clash_text(key: str, other: Bound) -> str:
    return f"{shown(key)} is taken by {other.id} ({HEADINGS[other.action.place].lower()}: {other.action.title})"


def _listed(value: Any) -> list[str] | None:
    """The words of `n,down`, of [n, down] or of a digit."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return [str(value)]
    if isinstance(value, str):
        return [","] if value.strip() == "," else [word for word in value.split(",") if word]
    if isinstance(value, list) and all(isinstance(v, str) or (isinstance(v, int) and v is not True) for v in value):
        return [str(item) for item in value]
    return None


def _marks_of(node: yaml.Node | None, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], _Marks]]:
    """The marks of the file's keys, two levels deep: settings, and the actions under `keys`."""
    if isinstance(node, yaml.MappingNode) and len(place) < 2:
        for key, value in node.value:
            here = (*place, str(key.value))
            yield here, _Marks(_at(key), _at(value))
            yield from _marks_of(value, here)


def _at(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def change(path: Path, changed: Callable[[Json], None]) -> None:
    """Change what the file sets; what it says besides stays as it is.

    Raises SettingsError when the file is broken or what it would say is, and ApmError when it cannot be written.
    """
    from core.registry.sources import replace_file
    from core.registry.styling import updated, written

    content = path.read_bytes() if path.exists() else b""
    settings_of(content)
    old: Json = documents.parse(content, FILE_NAME).data or {}
    new = copy.deepcopy(dict(old))
    changed(new)
    if new == old:
        return
    text = content.decode("utf-8-sig")
    attempts = updated(text, old, new) if old else (text + HEAD * (not text) + made for made in written(new))
    for attempt in attempts:
        made = attempt.encode()
        settings_of(made)
        if (documents.parse(made, FILE_NAME).data or {}) == new:
            try:
                replace_file(path, made)
            except OSError as error:
                raise ApmError(f"{path} cannot be written: {error.strerror}.") from None
            return
    raise ApmError(f"{path} cannot be changed as it is written; edit it by hand.")


def set_value(path: Path, name: str, value: Any) -> None:
    """Set one setting; None takes it out."""

    def put(data: Json) -> None:
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value

    change(path, put)


def set_keys(path: Path, name: str, keys: tuple[str, ...] | None) -> None:
    """Give the id these keys; None gives back those it came with."""

    def put(data: Json) -> None:
        given = dict(data.get("keys") or {})
        if keys is None or keys == BOUND[name].keys:
            given.pop(name, None)
        else:
            given[name] = written_keys(keys)
        if given:
            data["keys"] = given
        else:
            data.pop("keys", None)

    change(path, put)


def written_keys(keys: tuple[str, ...]) -> str | list[str]:
    """Keys as they stand in the file."""
    words = [shown(key) if shown(key).isascii() and key != "comma" else key for key in keys]
    return ",".join(words) if words else []
