"""Tasks that a request lists itself, what it says they cost, and which it says wait for which."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.agents.words.conditions import with_children
from core.agents.words.document import ITEM, PARAGRAPH, ROW, Block, Document
from core.agents.words.numbering import split_label
from core.agents.words.sections import TASKS
from core.agents.words.text import brief
from core.placeholders import is_placeholder

HOURS_A_DAY = 8.0
_HOURS_OF_UNIT = {"m": 1 / 60, "h": 1.0, "d": HOURS_A_DAY}
_AMOUNT = r"(\d{1,4}(?:[.,]\d{1,2})?)\s?(h|hrs?|hours?|m|mins?|minutes?|d|days?)\b"
_HOURS = re.compile(
    rf"[(\[]\s?(?:est(?:imate)?[.:]?\s?)?~?\s?{_AMOUNT}\s?[)\]]"
    rf"|\b(?:est(?:imated?)?|effort|takes)\s?[:=]?\s?~?{_AMOUNT}"
    rf"|(?:^|[–—:,-]\s?|\s~)~?{_AMOUNT}\.?$|^{_AMOUNT}\s?[:–—-]\s",
    re.I,
)
_BARE_AMOUNT = re.compile(rf"^~?{_AMOUNT}$|^(\d{{1,4}}(?:[.,]\d{{1,2}})?)$", re.I)
_COST_COLUMNS = ("hour", "estimate", "effort", "cost", "time")


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A task in the request's words. `hours` None where not stated; `number` its place in a numbered list, or 0."""

    id: str
    text: str
    hours: float | None
    number: int
    line: int


def listed_tasks(document: Document, kind: str = "") -> list[ListedTask]:
    """The tasks of the sections for tasks. A bug's plain "Steps" are how to see it, not how to mend it."""
    blocks = [block for block in document.of(TASKS) if not (kind == "bug" and block.heading == "steps")]
    listed = any(block.kind != PARAGRAPH for block in blocks)
    tasks: list[ListedTask] = []
    for block, words in with_children(blocks):
        if block.kind == ROW:
            tasks.append(_row(block))
        elif block.kind == ITEM:
            tasks.append(_task(words, block.line, block.marker))
        elif block.kind == PARAGRAPH and not listed:
            tasks += [_task(said.text, said.line, "") for said in block.sentences() if not said.text.endswith(":")]
    return [task for task in tasks if not is_placeholder(task.text)]


def hours_in(text: str) -> tuple[float | None, str]:
    """(hours that a text states, the text without them at its end or beginning); days count as 8 hours."""
    match = _HOURS.search(text)
    if not match:
        return None, text
    amount, unit = [group for group in match.groups() if group]
    rest = text
    if match.end() == len(text) or match.start() == 0:
        rest = (text[: match.start()] + text[match.end() :]).strip(" ,:–—-")
    return _hours(amount, unit), rest


def hours_of(value: object) -> float | None:
    """A human's figure: a number of hours, or a text like "2", "1.5 h", "30 min", "1 day". None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value < 100_000 else None
    match = _BARE_AMOUNT.match(value.strip()) if isinstance(value, str) else None
    if not match:
        return None
    return _hours(match[1], match[2]) if match[1] else _hours(match[3], "h")


def _hours(amount: str, unit: str) -> float:
    return round(float(amount.replace(",", ".")) * _HOURS_OF_UNIT[unit[0].lower()], 2)


def _task(words: str, line: int, marker: str) -> ListedTask:
    given, text = split_label(words, "T")
    hours, text = hours_in(text)
    number = marker.strip("().")
    return ListedTask(given, brief(text), hours, int(number) if number.isdigit() else 0, line)


def _row(block: Block) -> ListedTask:
    costs = [cell for column, cell in zip(block.columns, block.cells, strict=False)
             if any(word in column for word in _COST_COLUMNS)]  # fmt: skip
    rest = [cell for cell in block.cells if cell not in costs]
    task = _task(max(rest or list(block.cells), key=len), block.line, "")
    label = next((given for cell in rest for given, _ in [split_label(f"{cell}: x", "T")] if given), "")
    hours = next((found for cell in costs if (found := hours_of(cell)) is not None), task.hours)
    return ListedTask(task.id or label, task.text, hours, 0, block.line)
