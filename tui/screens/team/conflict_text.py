"""A conflict in words: who differs on what, what each is for and why, and what settled it or who is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.contract import Json
from core.sanitise import one_line
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.rows import DecisionRow, EscalationRow
from core.store.rows_governance import ConflictRow
from tui.text.words import Line, Mark, due, whole_time
from tui.widgets.document import BLANK, Paragraph, heading

LABEL = 14
WAITS = Mark("◆", "waits", "ask")
BY_RULE = Mark("✓", "by rule", "good")
BY_PERSON = Mark("✓", "by person", "good")
SETTLED = Mark("✓", "settled", "good")


@dataclass(frozen=True, slots=True)
class SeenConflict:
    """A conflict with the question about it, the decisions that it is about, and its work item's title."""

    row: ConflictRow
    question: EscalationRow | None
    decisions: tuple[DecisionRow, ...]
    item: str


def read_conflict(reader: Connection, number: int) -> SeenConflict | None:
    row = reads_governance.conflict(reader, number)
    if row is None:
        return None
    item = reads.work_item_facts(reader, row.work_item) if row.work_item is not None else None
    return SeenConflict(
        row,
        reads.escalation(reader, row.escalation) if row.escalation is not None else None,
        reads_governance.decisions_of_conflict(reader, number),
        one_line(item.title, 200) if item is not None else "",
    )


def is_open(row: ConflictRow) -> bool:
    return row.resolved_at is None


def mark_of(row: ConflictRow) -> Mark:
    if is_open(row):
        return WAITS
    return {"rule": BY_RULE, "human": BY_PERSON}.get(row.provenance or "", SETTLED)


def outcome_words(row: ConflictRow) -> str:
    if is_open(row):
        return f"question {row.escalation}" if row.escalation is not None else "waits"
    return one_line(row.winner, 40) if row.winner else "neither"


def between_words(row: ConflictRow) -> str:
    return f"{one_line(row.first, 40)} and {one_line(row.second, 40)}"


def conflict_paragraphs(seen: SeenConflict, now: int) -> list[Paragraph]:
    row = seen.row
    made = [Paragraph(((one_line(row.topic, 500), "strong"),)), BLANK]
    made.append(Paragraph(((" ", "text"), *mark_of(row).line(), (_settled(row, now), "text")), 3))
    made += [BLANK, heading("Positions"), *_positions(seen)]
    made += [BLANK, heading("The question" if is_open(row) else "How it ended"), *_how(seen, now)]
    made += [BLANK, heading("About"), *_about(seen, now)]
    return [*made, *_decisions(seen.decisions)]


def _settled(row: ConflictRow, now: int) -> str:
    if row.resolved_at is None:
        return f" for a person, since {whole_time(now - row.at)}"
    who = f"{one_line(row.winner, 40)} prevails" if row.winner else "neither prevails"
    return f": {who}, {whole_time(now - row.resolved_at)} ago"


def _positions(seen: SeenConflict) -> list[Paragraph]:
    row, made = seen.row, []
    agents = [row.first, row.second, *(agent for agent in row.positions if agent not in (row.first, row.second))]
    for agent in agents:
        own = next((d for d in seen.decisions if d.agent == agent), None)
        won = row.resolved_at is not None and row.winner == agent
        mark: Line = (("✓ ", "good"),) if won else (("  ", "text"),)
        wanted = _named(own.options if own is not None else [], str(row.positions.get(agent) or ""))
        said = wanted or "did not say what it is for"
        made.append(
            Paragraph(
                (*mark, (f"{one_line(agent, 40):<{LABEL - 1}}", "dim"), (said, "strong" if won else "text")), LABEL + 1
            )
        )
        if own is not None and own.reason:
            made.append(
                Paragraph(((" " * (LABEL + 1), "text"), (f"because {one_line(own.reason, 500)}", "dim")), LABEL + 1)
            )
    return made


def _named(options: Sequence[Json], key: str) -> str:
    """A position is an option's key or the agent's own words."""
    label = next((str(o.get("label") or "") for o in options if o.get("key") == key), "")
    return one_line(label or key, 500)


def _how(seen: SeenConflict, now: int) -> list[Paragraph]:
    row, question = seen.row, seen.question
    made = [_fact("rule", one_line(row.rule, 300))]
    if not is_open(row):
        made.append(_fact("decided by", one_line(row.decided_by or "", 80) or "nobody"))
    if question is not None:
        made.append(_fact(f"question {question.id}", one_line(question.question, 500)))
        if is_open(row):
            made.append(Paragraph(((f" {'wanted':<{LABEL}}", "dim"), due(question, now)), LABEL + 1))
            made.append(Paragraph(((f" {'':<{LABEL}}", "dim"), ("enter", "accent"), (" opens it", "dim")), LABEL + 1))
    elif is_open(row):
        made.append(_fact("asked", "nobody: it has no question"))
    return made


def _about(seen: SeenConflict, now: int) -> list[Paragraph]:
    row = seen.row
    made = [_fact("came up", f"{whole_time(now - row.at)} ago, of impact {row.impact}")]
    if row.tags:
        made.append(_fact("tags", ", ".join(one_line(str(tag), 40) for tag in row.tags[:20])))
    if row.work_item is not None:
        made.append(_fact("work item", f"#{row.work_item} {seen.item}" + (f", in {row.phase}" if row.phase else "")))
    return made


def _decisions(found: Sequence[DecisionRow]) -> list[Paragraph]:
    if not found:
        return []
    made = [BLANK, heading("Decisions that it is about")]
    for row in found:
        choice = _named(row.options, row.choice or row.recommended or "")
        what = "chose" if row.choice else "would choose"
        line: Line = (
            (f" {row.id:>4} ", "dim"),
            (f"{one_line(row.agent, 40)} {one_line(row.kind, 64)}: ", "dim"),
            (one_line(row.question, 300), "text"),
            (f"  {what} {choice}" if choice else "", "strong"),
        )
        made.append(Paragraph(line, 6))
    return made


def _fact(name: str, value: str) -> Paragraph:
    return Paragraph(((f" {name:<{LABEL}}", "dim"), (value, "text")), LABEL + 1)
