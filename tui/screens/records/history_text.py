"""An event in words: whose word it was, what it is about, its facts, what it changed, its place in the chain."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.sanitise import one_line
from core.store.carried import PLACES
from core.store.chain import ChainFault
from core.store.event_facts import EventFacts, event_facts
from core.store.reads_events import EventDocument
from tui.text.event_words import MISSING, WHO, mark_of, noun
from tui.text.json_text import json_paragraphs
from tui.text.moments import exact_moment
from tui.text.words import Line, Mark, plural
from tui.widgets.document import BLANK, Paragraph, heading

NAME_CELLS = 14
"""A fact's name stands in a column of this width."""
MOST_VALUE = 600
MOST_ROWS = 60
"""Changed rows that are named; the document below has them all."""
NOT_SHOWN = frozenset({"work_item", "chain", "kind", "agent", "provenance", "milliseconds"})
"""Facts that are told in other words."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole chain found. `head` is the number of the last event then, `at` the moment."""

    head: int
    at: int
    faults: tuple[ChainFault, ...]

    @property
    def is_whole(self) -> bool:
        return not self.faults

    def mark(self, seq: int) -> tuple[Mark, str]:
        """What it says of one event, and why."""
        if seq > self.head:
            return Mark("·", "not verified", "dim"), f"it came after event {self.head}, the last that was looked at"
        first = min((fault.seq for fault in self.faults), default=None)
        if first is None or seq < first:
            return Mark("✓", "verified", "good"), f"looked at {exact_moment(self.at)}"
        fault = next((fault for fault in self.faults if fault.seq == seq), None)
        if fault is not None:
            return Mark("✗", "broken", "bad"), one_line(fault.what)
        return Mark("✗", "not proven", "bad"), f"the chain is broken before it, at event {first}"


def event_paragraphs(found: EventDocument | None, seq: int, verified: Verified | None) -> list[Paragraph]:
    """Raises nothing for a payload that is no JSON: it is shown as it is."""
    if found is None:
        said = "The journal numbers its events without gaps, and has none with this number."
        return [_headline(MISSING, seq), BLANK, Paragraph(((said, "bad"),)), *_chain(None, seq, verified)]
    try:
        payload: Any = json.loads(found.payload)
    except ValueError:
        payload = found.payload
    event = event_facts(found.seq, found.at, found.kind, found.work_item, found.payload)
    rows = payload.get("rows") if isinstance(payload, dict) else None
    return [
        _headline(mark_of(event), seq),
        BLANK,
        fact("when", exact_moment(found.at)),
        _who(event),
        *_about(event),
        *_facts(event),
        *_changes(rows if isinstance(rows, list) else []),
        *_chain(found, seq, verified),
        BLANK,
        heading("Document"),
        fact("kind", found.kind),
        *json_paragraphs(payload),
    ]


def fact(name: str, value: str, tone: str = "text") -> Paragraph:
    """A name in its column, and a value that wraps beside it."""
    return Paragraph(((f"{name:<{NAME_CELLS}} ", "dim"), (one_line(value, MOST_VALUE), tone)), NAME_CELLS + 1)


def _headline(mark: Mark, seq: int) -> Paragraph:
    line: Line = ((f"{mark.glyph} ", mark.tone), (mark.word, "strong"), (f"  event {seq}", "faint"))
    return Paragraph(line)


def _who(event: EventFacts) -> Paragraph:
    mark = WHO[event.who.provenance]
    said = f"{mark.glyph} {mark.word}"
    name = one_line(event.who.name, 200)
    return Paragraph(((f"{'by':<{NAME_CELLS}} ", "dim"), (said, mark.tone), (f"  {name}" if name else "", "text")), 15)


def _about(event: EventFacts) -> list[Paragraph]:
    made = [fact(noun(name), str(number)) for name, number in event.refs.items()]
    if isinstance(agent := event.facts.get("agent"), str):
        made.append(fact("agent", agent))
    if isinstance(kind := event.facts.get("kind"), str):
        made.append(fact("kind", kind))
    return made


def _facts(event: EventFacts) -> list[Paragraph]:
    told = {*NOT_SHOWN, *event.refs}
    left = {name: value for name, value in event.facts.items() if name not in told and value != event.who.name}
    return [fact(noun(name), exact_moment(v) if _is_moment(name, v) else _value(v)) for name, v in left.items()]


def _is_moment(name: str, value: Any) -> bool:
    return isinstance(value, int) and (name.endswith("_at") or name == "until")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, list):
        return ", ".join(_value(entry) for entry in value[:40])
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _changes(rows: Sequence[Any]) -> list[Paragraph]:
    """Which rows of which tables were written with it."""
    named = [row for row in rows if isinstance(row, list) and len(row) == 3 and isinstance(row[2], dict | list)]
    if not named:
        return []
    made = [BLANK, heading("What it wrote")]
    for table, key, values in named[:MOST_ROWS]:
        columns = ", ".join(str(column) for column in (PLACES.get(table, ()) if isinstance(values, list) else values))
        made.append(
            Paragraph(
                (
                    ("  ", "text"),
                    (one_line(f"{str(table).replace('_', ' ')} {key}", 60), "text"),
                    (f"  {one_line(columns, MOST_VALUE)}", "dim"),
                ),
                4,
            )
        )
    if len(named) > MOST_ROWS:
        made.append(Paragraph(((f"  and {plural(len(named) - MOST_ROWS, 'more row')}", "dim"),)))
    return made


def _chain(found: EventDocument | None, seq: int, verified: Verified | None) -> list[Paragraph]:
    mark, why = (
        (Mark("·", "not verified", "dim"), "V looks at the whole chain") if verified is None else verified.mark(seq)
    )
    line: Line = ((f"{'state':<{NAME_CELLS}} ", "dim"), (f"{mark.glyph} {mark.word}", mark.tone), (f"  {why}", "dim"))
    made = [BLANK, heading("Chain"), Paragraph(line, NAME_CELLS + 1)]
    if found is not None:
        first = "the journal begins here" if seq == 1 else "the event before it is missing"
        made += [
            fact("hash", _grouped(found.mac), "text"),
            fact("before it", _grouped(found.before) if found.before else first),
        ]
    return made


def _grouped(digest: bytes) -> str:
    """In groups of 16 digits, so that it wraps between them."""
    return digest.hex(" ", 8)
