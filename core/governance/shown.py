"""What a person is shown of a question, clean and bounded, and what has changed in it since they were shown it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.contract import Json, canonical_json
from core.sanitise import one_line, sanitise
from core.store.rows import EscalationRow
from core.store.schema import Event
from core.store.transaction import Transaction

MOST_QUESTION = 2_000
MOST_LINE = 1_000
MOST_TEXT = 20_000
"""Characters of one text among the details."""
MOST_ALL = 400_000
"""Characters of all details together; what comes after is left out."""
MOST_ENTRIES = 1_000
MOST_DEPTH = 12
CUT = "…"

_SHOWN = ("question", "missing", "options", "recommended", "details")


def payload(
    question: str, missing: Sequence[str], details: Json, options: Sequence[Json], recommended: str | None
) -> Json:
    """The question as it is kept and shown: what an answer is bound to is the digest of this."""
    budget = _Budget(MOST_ALL)
    return {
        "question": _bounded(question, MOST_QUESTION, keep_newlines=False),
        "missing": [one_line(_bounded(entry, MOST_LINE), MOST_LINE) for entry in missing[:MOST_ENTRIES]],
        "details": _clean(details, budget, MOST_DEPTH),
        "options": [_option(o) for o in options],
        "recommended": recommended,
    }


def _option(option: Json) -> Json:
    words = {name: one_line(_bounded(str(option[name]), MOST_LINE), MOST_LINE) for name in ("label", "consequence")}
    return {**option, **words}


def _bounded(text: str, limit: int, *, keep_newlines: bool = True) -> str:
    """`sanitise`, which of a text that is far too long sees its beginning only: ten megabytes take it seconds."""
    most = limit * 8
    if len(text) <= most:
        return sanitise(text, limit=limit, keep_newlines=keep_newlines)
    mark = f"{CUT} [cut, {len(text):,} characters in all]"
    return sanitise(text[:most], limit=most, keep_newlines=keep_newlines)[: max(0, limit - len(mark))] + mark[:limit]


@dataclass
class _Budget:
    """Characters that are left."""

    left: int

    def take(self, text: str) -> str:
        found = _bounded(text, max(0, min(MOST_TEXT, self.left)))
        self.left -= len(found)
        return found


def _clean(value: Any, budget: _Budget, depth: int) -> Any:
    """Any JSON value, its texts clean; what is too deep, too long or too much is cut with a mark."""
    if isinstance(value, str):
        return budget.take(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return _entries(value, budget, depth)
    if isinstance(value, list | tuple):
        if depth == 0:
            return [CUT] if value else []
        kept = [_clean(entry, budget, depth - 1) for entry in value[:MOST_ENTRIES] if budget.left > 0]
        return kept if len(kept) == len(value) else [*kept, f"{CUT} {len(value) - len(kept)} more"]
    return value


def _entries(value: Mapping[Any, Any], budget: _Budget, depth: int) -> Json:
    if depth == 0:
        return {CUT: len(value)} if value else {}
    kept: Json = {}
    for key, entry in value.items():
        if len(kept) == MOST_ENTRIES or budget.left <= 0:
            return {**kept, CUT: f"{len(value) - len(kept)} more"}
        kept[one_line(_bounded(str(key), MOST_LINE), 200)] = _clean(entry, budget, depth - 1)
    return kept


def difference(tx: Transaction, row: EscalationRow, digest: str) -> str:
    """What has changed since the payload with that digest was shown, as the end of a sentence about the escalation."""
    before = _payload_with(tx, row, digest)
    if before is None:
        return "was never shown as that digest says; look at it, then answer with the digest it has now."
    now = {name: getattr(row, name) for name in _SHOWN}
    changed = "; ".join(
        f"{name} was {_short(before[name])}, is {_short(now[name])}" for name in _SHOWN if before[name] != now[name]
    )
    return f"has changed since it was shown: {changed}. Look at it again, then answer."


def _short(value: Any) -> str:
    return one_line(value if isinstance(value, str) else canonical_json(value), 160) or "nothing"


def _payload_with(tx: Transaction, row: EscalationRow, digest: str) -> Json | None:
    """What the question was when it had that digest: the events that changed it carry it."""
    query = Event.select(Event.payload).where(
        Event.kind.in_(("escalation.raised", "escalation.raised_again"))
        & (Event.work_item.is_null() if row.work_item is None else Event.work_item == row.work_item)
        & Event.payload.contains(digest)
    )
    for (text,) in tx.rows(query):
        for table, number, columns in json.loads(text).get("rows", ()):
            if (table, number, columns.get("payload_digest")) == ("escalations", row.id, digest):
                decoded = {name: json.loads(columns[name]) for name in ("missing", "options", "details")}
                return {**decoded, "question": columns["question"], "recommended": columns["recommended"]}
    return None
