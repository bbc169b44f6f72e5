"""What stands around a question: how it is handled, what was said about it, where it came from, what happened to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.contract import Json
from core.sanitise import one_line, sanitise
from core.store import states
from core.store.rows import AnswerRow, EscalationRow, EventRow, WorkItemRow
from tui.text.words import Line, due, plural, span_of_time, urgency, wanted, whole_time
from tui.widgets.document import BLANK, Paragraph, heading, text

if TYPE_CHECKING:
    from core.governance.asking import Said

NAMES = 11
"""Cells of the column of names."""
OVER = frozenset({"resolved", "merged", "withdrawn", "expired"})
"""States in which no answer is due any more."""
MOST_HAPPENINGS = 40


def closing_paragraphs(row: EscalationRow, answers: Sequence[AnswerRow], now: int) -> list[Paragraph]:
    """How a question that does not wait any more has ended; nothing for one that waits."""
    state = states.escalation_state(row, now)
    given = [a for a in answers if a.undone_at is None]
    if state == "resolved" and given:
        last = given[-1]
        who = f"  by {one_line(last.by, 60)}, {_ago(now - last.at)}"
        made = [Paragraph((("✓ answered ", "good"), (label_of(row, last.option), "strong"), (who, "dim")), 11)]
        return [*made, *([_quoted(last.reason)] if last.reason else []), BLANK]
    if state == "merged":
        told = f"into question {row.merged_into}, whose answer is this one's too"
        return [Paragraph((("✓ merged ", "good"), (told, "text")), 9), BLANK]
    if state in ("withdrawn", "expired"):
        told = "nobody waits for an answer any more; one that is given is kept as late"
        return [Paragraph(((f"✗ {state} ", "ask"), (told, "dim")), len(state) + 3), BLANK]
    return []


def thread_paragraphs(said: Sequence[Said], now: int) -> list[Paragraph]:
    """What was asked back and replied; under a heading, nothing where nobody asked."""
    if not said:
        return []
    made = [BLANK, heading("Asked back")]
    for one in said:
        asked = one.what == "question"
        head: Line = (
            (" ? " if asked else "   └ ", "ask" if asked else "faint"),
            (f"{one_line(one.by, 40)} ", "strong"),
            (f"{'(agent) ' if one.provenance == 'agent' else ''}{_ago(now - one.at)}", "faint"),
        )
        made += [Paragraph(head, 3), *text(sanitise(one.text, limit=4_000), indent=3 if asked else 5)]
    if said[-1].what == "question":
        made.append(Paragraph((("   ‖ no reply yet", "faint"), ("  c replies", "dim")), 5))
    return made


def about_paragraphs(
    row: EscalationRow,
    item: WorkItemRow | None,
    answers: Sequence[AnswerRow],
    now: int,
    happened: Sequence[EventRow] = (),
    *,
    with_status: bool = True,
) -> list[Paragraph]:
    """The question's circumstances, for the column beside it; below it, where its status stands on top, without it."""
    made = [*([status_paragraph(row, now)] if with_status else []), _fact("kind", row.kind)]
    made.append(_fact("raised", _ago(now - row.raised_at) + _again(row)))
    made += _put_off(row, now)
    if row.assigned_to:
        made.append(_fact("for", row.assigned_to))
    if row.note:
        made.append(_quoted(row.note))
    if row.blocks:
        is_over = states.escalation_state(row, now) in OVER
        made.append(_fact("held back" if is_over else "holds back", row.blocks))
    if item is not None:
        made += _work_item(item)
    made += [BLANK, heading("Came up through")]
    for depth, role in enumerate(row.chain):
        arrow = "" if not depth else "└ "
        made.append(Paragraph(((" " + "  " * max(depth - 1, 0) + arrow, "faint"), (one_line(role, 40), "text"))))
    for answer in answers:
        made += [BLANK, heading("Answer" + (" (undone)" if answer.undone_at else " (late)" if answer.late else ""))]
        made.append(Paragraph(((label_of(row, answer.option), "text"),), 2))
        made.append(Paragraph(((f"by {one_line(answer.by, 60)} ({answer.provenance})", "dim"),), 2))
        if answer.reason:
            made.append(_quoted(answer.reason))
    made += _happened(happened, now)
    made += [BLANK, Paragraph((("shown digest ", "faint"), (row.payload_digest[:12], "faint")))]
    return made


def _put_off(row: EscalationRow, now: int) -> list[Paragraph]:
    """Of one that was seen or put away, what stands in its status otherwise."""
    state = states.escalation_state(row, now)
    if state not in ("acknowledged", "snoozed"):
        return []
    made = [_fact("urgency", row.urgency.lower())]
    if state == "snoozed" and row.snoozed_until is not None:
        made.append(_fact("back", f"in {span_of_time(row.snoozed_until - now)}"))
        made.append(_fact("wanted", wanted(row, now)[0]))
    elif row.acknowledged_by:
        made.append(_fact("seen by", row.acknowledged_by))
    return made


def status_paragraph(
    row: EscalationRow, now: int, place: str = "", *, is_named: bool = False, short: bool = False
) -> Paragraph:
    """How urgent it is and when an answer is wanted; with `is_named` also which it is and its place in line."""
    gap = "  " if short else "   "
    target = f" for #{row.work_item} {row.phase or ''}".rstrip() if row.work_item is not None else ""
    named = f"no. {row.id}" if short else f"question {row.id}{target}"
    after: Line = ((f"{gap}{named}", "dim"), (f"{gap}{place}".rstrip(), "faint")) if is_named else ()
    if states.escalation_state(row, now) in OVER:
        return Paragraph(((f"was {row.urgency.lower()}", "dim"), *after), 1)
    return Paragraph((*urgency(row, now), (gap, "text"), due(row, now), *after), 1)


def label_of(row: EscalationRow, option: str) -> str:
    """The words of an answer, which a person chose by; its key where it is not offered any more."""
    return one_line(next((str(o["label"]) for o in row.options if o["key"] == option), option), 120)


def _work_item(item: WorkItemRow) -> list[Paragraph]:
    made = [BLANK, heading("Work item"), Paragraph(((f"#{item.id} ", "dim"), (one_line(item.title), "text")), 3)]
    made.append(_fact("project", item.project or "none"))
    made.append(_fact("state", item.state + (f" in {item.phase}" if item.phase else "")))
    return made + ([_fact("branch", item.facts.branch)] if item.facts.branch else [])


def _happened(happened: Sequence[EventRow], now: int) -> list[Paragraph]:
    made = []
    for event in reversed(happened[-MOST_HAPPENINGS:]):
        words = happening_words(event)
        if words:
            made.append(Paragraph(((f"{span_of_time(now - event.at):>4} ", "faint"), (words, "dim")), 5))
    return [BLANK, heading("What happened"), *made] if made else []


def happening_words(event: EventRow) -> str:
    """One line about an event of a question; "" for those that are told elsewhere."""
    tell = _HAPPENINGS.get(event.kind.removeprefix("escalation."))
    return "" if tell is None else one_line(tell(event.payload), 160)


def _named(payload: Json, name: str, default: str = "somebody") -> str:
    return str(payload.get(name) or default)


_HAPPENINGS: Mapping[str, Callable[[Json], str]] = {
    "acknowledged": lambda p: f"seen by {_named(p, 'by')}",
    "snoozed": lambda p: f"put away by {_named(p, 'by')}",
    "assigned": lambda p: f"handed to {_named(p, 'to')} by {_named(p, 'by')}",
    "escalated": lambda p: f"{_named(p, 'to').lower()}, by {_named(p, 'by')}" + _because(p, "reason"),
    "merged": lambda p: f"{plural(len(p.get('merged', ())), 'question')} merged into it by {_named(p, 'by')}",
    "separated": lambda _: "stands by itself again",
    "put_back": lambda p: f"{_named(p, 'by')} took that back",
    "asked_back": lambda p: f"{_named(p, 'by')} asked back",
    "replied": lambda p: f"{_named(p, 'by')} replied",
    "unasked": lambda p: f"{_named(p, 'by')} took the question back",
    "resolved": lambda p: f"answered by {_named(p, 'by')}",
    "answered_late": lambda p: f"answered late by {_named(p, 'by')}",
    "undone": lambda p: f"answer taken back by {_named(p, 'by')}" + _because(p, "reason"),
    "withdrawn": lambda p: "withdrawn" + _because(p, "why"),
    "expired": lambda _: "expired",
    "reminded": lambda p: f"reminder {p.get('number', '')}".rstrip(),
    "snooze_ended": lambda _: "back from being put away",
    "acknowledgement_ended": lambda _: "counts as not seen again",
}


def _because(payload: Json, name: str) -> str:
    said: Any = payload.get(name)
    return f": {said}" if said else ""


def _ago(milliseconds: int) -> str:
    return f"{whole_time(milliseconds)} ago"


def _again(row: EscalationRow) -> str:
    return f", {plural(row.count, 'time')}" if row.count > 1 else ""


def _quoted(said: str) -> Paragraph:
    return Paragraph(((" · ", "faint"), (one_line(said, 2_000), "text")), 3)


def _fact(name: str, value: str) -> Paragraph:
    return Paragraph(((f"{name:<{NAMES}}", "dim"), (one_line(value, 200), "text")), NAMES)
