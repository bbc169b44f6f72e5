"""A hundred mixed questions, triaged by the keyboard alone: a scripted person at a real terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.store.store import Store
from core.workspace import Workspace, create
from tests.bench.inbox import REASONED, SORTS, Sort, ask_all
from tests.bench.measure import Figure, duration, size, tail
from tests.bench.watching import Watched, watched
from tui.keystrokes import DELAY_SECONDS

MOST_KEYS = 150
ENTER, ESCAPE = b"\r", b"\x1b"
BY_SORT = ("major", "obsolete", "criteria", "wish", "locked", "upgrade", "budget")
"""Sorts of questions that get one answer for all of them; the others are answered one by one."""
LETTERS = 4
"""Of a sort's word, as many as tell it from the others."""
REASON = b"no"
FIRST = "Certificate 1 of the download server ends tonight: renew it?"
"""The most urgent question, whole: a list cuts it short, so that it is the preview that shows it."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """Keys that are pressed without looking up, and what is on the screen once they have had their effect."""

    keys: tuple[bytes, ...]
    shows: str


def measure(place: Path) -> list[Figure]:
    """Raises RuntimeError when a question has not got the answer that was meant."""
    folder = create(place / "workspace")
    with Workspace.open(folder) as workspace:
        meant = workspace.store.write_now(ask_all)
    with watched(place, folder, shows=("waiting for you", "Certificate")) as app:
        app.rest(2.0)
        taken = [(stroke, _press(app, stroke)) for stroke in _read_first(app)]
    _check(folder, meant)
    keys = sum(len(stroke.keys) for stroke, _ in taken)
    return [
        Figure(f"keys for {len(meant)} questions", "keys", keys, keys, 1, MOST_KEYS + 1),
        duration("machine time for all of them", [sum(seconds for _, seconds in taken)], "s"),
        tail("keys to everything painted", [seconds for _, seconds in taken], "ms"),
        size("questions with the answer that was meant", [len(meant)], "questions"),
    ]


def script() -> Iterator[Stroke]:
    """What the person does: what is alike is answered together, the rest as it comes."""
    sorts = {sort.word: sort for sort in SORTS}
    yield Stroke((b"t",), FIRST)
    for word in BY_SORT:
        yield from _together(sorts[word])
    urgent, conflict = sorts["urgent"], sorts["conflict"]
    for n in range(1, urgent.count + 1):
        yield Stroke((b"a",), urgent.text.format(n=n + 1) if n < urgent.count else conflict.text.format(n=1))
    for n in range(1, conflict.count + 1):
        after = conflict.text.format(n=n + 1) if n < conflict.count else "Inbox zero"
        if n <= REASONED:
            yield Stroke((b"2",), "goes on the record")
            yield Stroke((*_letters(REASON), ENTER), after)
        else:
            yield Stroke((b"a",), after)


def _read_first(app: Watched) -> Iterator[Stroke]:
    """The strokes at a person's pace, who reads a question before the key that answered the one before answers it too:
    one that comes sooner is held down, for all that a terminal can tell."""
    before = b""
    for stroke in script():
        if stroke.keys[0] == before:
            app.rest(DELAY_SECONDS)
        yield stroke
        before = stroke.keys[-1]


def _together(sort: Sort) -> Iterator[Stroke]:
    word = sort.word[: LETTERS if sort.word != "major" else 5].encode()
    is_recommended = sort.meant == sort.options[0].key
    yield Stroke((b"/",), "words to find")
    yield Stroke(_letters(word), f"/{word.decode()}: {sort.count} of ")
    yield Stroke((ENTER,), "? help")
    yield Stroke((b"*",), f"{sort.count} marked")
    yield Stroke((b"a" if is_recommended else b"2",), f"{sort.count} × ")
    if not is_recommended:
        yield Stroke((b"y",), "goes on the record")
    last = (b"y",) if is_recommended else (*_letters(REASON), ENTER)
    yield Stroke(last, "Nothing matches this filter")
    yield Stroke((ESCAPE,), FIRST)


def _letters(word: bytes) -> tuple[bytes, ...]:
    return tuple(bytes((letter,)) for letter in word)


def _press(app: Watched, stroke: Stroke) -> float:
    return app.press_to_rest(b"".join(stroke.keys), stroke.shows)


def _check(folder: Path, meant: dict[int, str]) -> None:
    with Store.open(folder / "state") as store:
        found = store.read_now(lambda r: r.sql("SELECT escalation_id, option FROM answers WHERE undone_at IS NULL"))
    wrong = {n: (option, dict(found).get(n)) for n, option in meant.items() if dict(found).get(n) != option}
    if wrong or len(found) != len(meant):
        raise RuntimeError(f"{len(wrong)} of {len(meant)} questions have another answer than was meant: {wrong}")
