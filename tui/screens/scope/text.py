"""A scope proposal in words: what it would change, on what record, how it was weighed, what a yes does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from core.contract import Json
from core.governance.scope.evidence import ACCEPTED, CORRECTED, ENDED, OPEN, REVERSED, SETTLED, WAITS
from core.governance.scope.proposing import Status, status
from core.governance.scope.suggestions import CONTRACTION, EXPANSION, LEAST_BOUND
from core.sanitise import one_line
from core.store.rows_governance import ScopeProposalRow
from tui.governance.scope_reading import Seen, WishLine
from tui.text.words import UNKNOWN, Line, Mark, Span, plural, whole_time
from tui.widgets.document import BLANK, Paragraph, heading

CHANGES = {
    "expansion": Mark("↑", "expansion", "text"),
    "contraction": Mark("↓", "contraction", "text"),
    "collaboration": Mark("·", "collaboration", "text"),
    "bottleneck": Mark("·", "bottleneck", "text"),
}
STATUSES: dict[Status, Mark] = {
    "proposed": Mark("○", "proposed", "text"),
    "clarify": Mark("◆", "asked", "ask"),
    "approved": Mark("✓", "approved", "good"),
    "rejected": Mark("✗", "rejected", "dim"),
    "undone": Mark("↺", "undone", "dim"),
    "superseded": Mark("·", "replaced", "faint"),
}
RISKS = {"low": Mark("·", "low", "dim"), "medium": Mark("◆", "medium", "ask"), "high": Mark("▲", "high", "bad")}
WORDS = {
    "approve": Mark("✓", "approve", "good"),
    "reject": Mark("✗", "reject", "bad"),
    "clarify": Mark("◆", "clarify", "ask"),
}
OUTCOMES = {
    ACCEPTED: Mark("✓", "accepted", "good"),
    CORRECTED: Mark("✗", "corrected", "bad"),
    REVERSED: Mark("↺", "taken back", "bad"),
    WAITS: Mark("◆", "waits", "ask"),
    OPEN: Mark("◆", "waits", "ask"),
    SETTLED: Mark("✓", "settled", "dim"),
    ENDED: Mark("·", "over", "faint"),
}
SECTION_WORDS = {
    "High-impact changes": "high impact",
    "Low-risk efficiency": "low risk",
    "Authority to take back": "take back",
    "Collaboration": "together",
    "Bottlenecks": "held up",
    "wished": "wished",
    "weekly": "weekly",
    "": "decided",
}
"""The sections, in the margin of the list."""
BACK = "u at once: it waits again; U later, with a reason: it is closed, and what was decided by it meanwhile stands"
MEASURED = ("expansion", "contraction")
BAR = 25
"""Cells of the bar, 0 to 1."""
LABEL = 18


def record_words(row: ScopeProposalRow) -> str:
    return f"{row.accepted}/{row.n}" if row.n else ""


def subject_words(row: ScopeProposalRow) -> str:
    """The kind; of a collaboration the other agent."""
    return f"with {one_line(row.kind, 64)}" if row.change == "collaboration" else one_line(row.kind, 64)


def hours_words(row: ScopeProposalRow) -> str:
    """A contraction costs hours, so its figure is below zero."""
    if row.hours_saved_per_week is not None:
        return f"{row.hours_saved_per_week:.2f} h"
    return "not measured" if row.change in MEASURED else ""


def bound_bar(bound: float | None, after: str = f", needs {LEAST_BOUND:.2f}") -> Line:
    """The lower bound on a line from 0 to 1, with a mark at what earns authority; the figure stands beside it."""
    needed, reached = round(LEAST_BOUND * (BAR - 1)), -1 if bound is None else round(bound * (BAR - 1))
    is_enough = bound is not None and bound >= LEAST_BOUND
    tone = "good" if is_enough else "ask"
    left: list[Span] = [("─" * (min(reached, needed - 1) + 1), tone), ("·" * (needed - reached - 1), "faint")]
    right: list[Span] = [("─" * max(reached - needed, 0), tone), ("·" * (BAR - 1 - max(reached, needed)), "faint")]
    words = f"  {'none' if bound is None else f'{bound:.2f}'}{after}"
    line: list[Span] = [*left, ("│", "strong"), *right, (words, "text" if is_enough else "ask")]
    return tuple(span for span in line if span[0])


def proposal_paragraphs(seen: Seen, now: int) -> list[Paragraph]:
    row, told = seen.row, seen.row.analysis
    made = [Paragraph(((_told(told, "would"), "strong"),))]
    made += _who_asked(told)
    made += [BLANK, *_before_and_after(row), _recommended(row), *_decided(row, now)]
    made += [BLANK, heading("Record"), *_record(seen)]
    made += [BLANK, heading("Weighed"), *_weighed(row)]
    made += [BLANK, heading("If you approve"), *_effects(seen)] if status(row) in ("proposed", "clarify") else []
    return [*made, BLANK, fact("shown digest", row.payload_digest[:12], "faint")]


def _who_asked(told: Json) -> list[Paragraph]:
    made = []
    for key, words in (("asked_for", "asked for by"), ("asked", "was asked")):
        found = told.get(key)
        if not isinstance(found, dict):
            continue
        if key == "asked_for":
            text = f"{one_line(str(found.get('by')), 60)}: {one_line(str(found.get('reason')), 500)}"
        else:
            text = (
                f"{one_line(str(found.get('question')), 500)} (of proposal {found.get('proposal')}, "
                f"then {found.get('accepted')} of {found.get('n')})"
            )
        made.append(Paragraph(((f" {words} ", "dim"), (text, "text")), 3))
    return made


def _before_and_after(row: ScopeProposalRow) -> list[Paragraph]:
    """The change on one line; none where no authority changes."""
    agent = one_line(row.agent, 40)
    asked, decides = f"{agent} asks a person", f"{agent} decides itself"
    if row.change == EXPANSION:
        before, after = asked, decides
    elif row.change == CONTRACTION:
        before, after = decides, asked
    else:
        return []
    first, then = ("now", "then") if status(row) in ("proposed", "clarify") else ("from", "to")
    line: Line = (
        (f" {first} ", "dim"),
        (before, "text"),
        ("  →  ", "accent"),
        (f"{then} ", "dim"),
        (after, "strong"),
    )
    return [Paragraph(line, 3)]


def _recommended(row: ScopeProposalRow) -> Paragraph:
    reason = one_line(str(row.analysis.get("reason", "")), 600)
    return Paragraph(
        ((" the master: ", "dim"), *WORDS.get(row.recommendation, UNKNOWN).line(), (f", {reason}", "text")), 3
    )


def _decided(row: ScopeProposalRow, now: int) -> list[Paragraph]:
    found = status(row)
    if found == "proposed":
        return []
    made = [Paragraph(((" ", "text"), *STATUSES[found].line(), *_by_whom(row, now)), 3)]
    for words, text in (
        ("because", row.reason if row.decided_at is not None else None),
        ("asked", row.clarification if row.decided_at is None else None),
    ):
        if text:
            made.append(Paragraph(((f" {words} ", "dim"), (one_line(text, 2_000), "text")), 3))
    if found == "clarify":
        made.append(Paragraph(((" the next scope review answers with fresh figures; R holds one now", "dim"),), 3))
    if row.cool_down_until is not None and row.cool_down_until > now:
        made.append(Paragraph(((f" not proposed again by itself before {day(row.cool_down_until)}", "dim"),), 3))
    return made


def _by_whom(row: ScopeProposalRow, now: int) -> Line:
    by, at = (row.undone_by, row.undone_at) if row.undone_at is not None else (row.decided_by, row.decided_at)
    if at is None:
        return ()
    return ((f" by {one_line(by or '', 60)}, {whole_time(now - at)} ago", "text"),)


def _record(seen: Seen) -> list[Paragraph]:
    row, told = seen.row, seen.row.analysis
    record: Json = told.get("record", {})
    if not record:
        return [Paragraph(((" ", "text"), (_told(told, "because"), "text")), 1)]
    declined = _counted(row.n - row.accepted) if row.change != CONTRACTION else _numbers(record.get("declined"))
    accepted = row.accepted if row.change != CONTRACTION else len(record.get("accepted", ()))
    total = row.n if row.change != CONTRACTION else accepted + len(record.get("declined", ()))
    made = [
        fact("as recommended", f"{accepted} of {total} answers by people"),
        fact("corrected", declined),
        fact("decided by itself", _own_decisions(row, record)),
    ]
    if row.change == EXPANSION:
        made.append(Paragraph(((f" {'lower bound':<{LABEL}}", "dim"), *bound_bar(row.lower_bound)), LABEL + 1))
    elif row.change == CONTRACTION and row.n:
        bar = bound_bar(row.lower_bound, " of its own decisions stand")
        made.append(Paragraph(((f" {'lower bound':<{LABEL}}", "dim"), *bar), LABEL + 1))
    made.append(fact("answered after", _span(record.get("median_wait_seconds"))))
    made.append(fact("attention", _span(record.get("median_attention_seconds"))))
    return [*made, *_decider(seen)]


def _own_decisions(row: ScopeProposalRow, record: Json) -> str:
    decided, back = record.get("decided", 0), record.get("reversed", 0)
    if row.change == CONTRACTION:
        decided, back = row.n, row.n - row.accepted
    return f"{decided}; people took {back or 'none'} back" if decided else "none yet"


def _decider(seen: Seen) -> list[Paragraph]:
    """Whose record it is. Figures of another runtime, model or SOP are none of this one's."""
    found = seen.decider
    if found is None:
        return []
    model = f", {found.model}" if found.model else ""
    made = [fact("cohort", f"{found.runtime}{model}, SOP {found.sop or 'none'}")]
    if not found.is_the_same:
        made.append(fact("", "the record is of another runtime, model or SOP than these: R counts anew", "ask"))
    return made


def _weighed(row: ScopeProposalRow) -> list[Paragraph]:
    told = row.analysis
    risk = RISKS.get(row.risk, UNKNOWN)
    because = "; ".join(one_line(str(text), 200) for text in told.get("risk_because", ()))
    risky: Line = ((f" {'risk':<{LABEL}}", "dim"), *risk.line(), (f": {because}", "text"))
    return [
        fact("hours", _told(told.get("efficiency"), "text")),
        Paragraph(risky, LABEL + 1),
        fact("overlap", _told(told.get("conflict"), "text")),
        fact("in line with", _told(told.get("alignment"), "text") or "nothing to weigh it against"),
    ]


def _effects(seen: Seen) -> list[Paragraph]:
    row = seen.row
    if row.change not in MEASURED:
        return [fact("at once", "it is marked as seen; no authority changes"), fact("taken back", "U, with a reason")]
    return [
        fact("at once", _at_once(row)),
        fact("in files", files_words(seen.files)),
        fact("ceiling", _ceiling(seen)),
        fact("taken back", BACK),
    ]


def _at_once(row: ScopeProposalRow) -> str:
    name = f"{one_line(row.agent, 40)}.{one_line(row.kind, 64)}"
    if row.change == EXPANSION:
        return f"{name} is autonomous in the database: the next such decision asks nobody"
    return f"{name} escalates in the database: the next such decision waits for a person"


def _ceiling(seen: Seen) -> str:
    if seen.limit is None:
        return "none; what a decision of the kind settles can be undone"
    refused = ", so a yes is refused" if seen.row.change == EXPANSION else ""
    return f"the kind {seen.limit}{refused}"


def files_words(files: Sequence[str]) -> str:
    if not files:
        return "none was generated that tells of this agent"
    shown = ", ".join(one_line(path, 80) for path in files[:4])
    more = f" and {len(files) - 4} more" if len(files) > 4 else ""
    return f"{plural(len(files), 'file')} made anew: {shown}{more}"


def preview(seen: Seen) -> list[Paragraph]:
    """What a yes does, before it is said; short enough for a small screen."""
    row = seen.row
    if row.change not in MEASURED:
        return [Paragraph(((_told(row.analysis, "would"), "strong"),))]
    said = [_at_once(row), f"in files: {files_words(seen.files)}", BACK]
    said += [_ceiling(seen)] if seen.limit is not None else []
    return [*_before_and_after(row), *(Paragraph(((" · ", "faint"), (text, "text")), 3) for text in said)]


def preview_of_many(rows: Iterable[ScopeProposalRow]) -> list[Paragraph]:
    made = []
    for row in rows:
        record = f"  {record_words(row)} accepted, bound {row.lower_bound:.2f}" if row.lower_bound is not None else ""
        line: Line = (
            (f" {row.id:>4} ", "dim"),
            (f"{one_line(row.agent, 40)} {one_line(row.kind, 64)}", "strong"),
            (f"  {CHANGES.get(row.change, UNKNOWN).word}{record}, risk {row.risk}", "text"),
        )
        made.append(Paragraph(line, 6))
    return made


def wish_paragraphs(found: WishLine, now: int) -> list[Paragraph]:
    name = f"{one_line(found.agent, 40)} decides {one_line(found.kind, 64)} itself"
    by = f"wished for by {one_line(found.by, 60)}, {whole_time(now - found.at)} ago"
    made = [Paragraph(((name, "strong"),)), Paragraph(((f" {by}", "dim"),), 1), BLANK, heading("Record")]
    made.append(fact("as recommended", f"{found.accepted} of {found.n} answers by people"))
    made.append(Paragraph(((f" {'lower bound':<{LABEL}}", "dim"), *bound_bar(found.bound)), LABEL + 1))
    made += [BLANK, heading("What is missing" if found.missing else "Nothing is missing")]
    made += [Paragraph(((" ◆ ", "ask"), (one_line(text, 300), "text")), 3) for text in found.missing]
    after = (
        "R holds a review now, which looks at it." if found.waits else "Wish again with A when you answer the next one."
    )
    questions = ", ".join(f"#{number}" for number in found.escalations[-10:])
    return [*made, BLANK, fact("came with", questions), Paragraph(((f" {after}", "dim"),), 1)]


def fact(name: str, value: str, tone: str = "text") -> Paragraph:
    return Paragraph(((f" {name:<{LABEL}}", "dim"), (value, tone)), LABEL + 1)


def _told(found: Any, key: str) -> str:
    """A sentence of the evidence; empty where it has none."""
    return one_line(str(found.get(key) or ""), 600) if isinstance(found, dict) else ""


def _counted(number: int) -> str:
    return str(number) if number else "none"


def _numbers(found: Any) -> str:
    return _counted(len(found) if isinstance(found, list) else 0)


def _span(seconds: Any) -> str:
    if not isinstance(seconds, int | float):
        return "not measured"
    return f"{whole_time(int(seconds * 1_000))} in the median"


def day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d}"
