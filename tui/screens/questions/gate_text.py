"""What the gate of a phase says: whether it passed, what was measured against what, what would help, who decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.contract import PHASE_CODES
from core.phases import PHASE_BY_CODE
from core.sanitise import one_line
from core.store.rows import DecisionRow, EscalationRow, GateResultRow, PhaseCell, PhaseRunRow
from core.store.rows_governance import ConflictRow
from tui.screens.questions.decision_text import decision_paragraphs
from tui.screens.questions.question_text import criteria_paragraphs, evidence_paragraphs
from tui.text.words import PHASE_MARKS, UNKNOWN, Line, exact_time, plural
from tui.widgets.document import BLANK, Paragraph, heading


class Known(Protocol):
    """What is known of the work item that the gate belongs to."""

    @property
    def runs(self) -> Sequence[PhaseRunRow]: ...
    @property
    def gates(self) -> Sequence[GateResultRow]: ...
    @property
    def questions(self) -> Sequence[EscalationRow]: ...
    @property
    def decisions(self) -> Sequence[DecisionRow]: ...
    @property
    def conflicts(self) -> Sequence[ConflictRow]: ...


OUTCOMES = {
    "sent_back": "It sent the work back, to be mended and judged again.",
    "void": "This round counts for nothing: the branch changed while it was judged.",
}


WHAT_RUNS = {
    "running": "runs now",
    "ready": "is next",
    "waiting": "waits for an answer",
    "failed": "failed before its gate",
}
"""What became so far of the round after the one that a gate judged last, by the state of its phase."""


def overtaken_by(gate: GateResultRow | None, runs: Sequence[PhaseRunRow]) -> PhaseRunRow | None:
    """The round that makes a verdict one of before: a later one of its phase, or one of a phase before it that began
    after it. None where the verdict is of the work as it stands."""
    if gate is None:
        return None
    upstream = PHASE_CODES[: PHASE_CODES.index(gate.phase) + 1]
    began = [run.id for run in runs if (run.phase, run.round) == (gate.phase, gate.round)]
    later = [run for run in runs if began and run.id > began[0] and run.phase in upstream]
    return later[-1] if later else None


def round_note(gate: GateResultRow | None, runs: Sequence[PhaseRunRow]) -> str:
    """Which round a verdict is of, and whether it still counts."""
    if gate is None:
        return ""
    if overtaken_by(gate, runs) is None:
        return f"round {gate.round}"
    return f"round {gate.round}, {'void' if _is_void(gate, runs) else 'over'}"


def gate_paragraphs(cell: PhaseCell, gate: GateResultRow | None, facts: Known) -> list[Paragraph]:
    """From the verdict down to what it rests on; of a gate that has not judged, who works towards it.

    A verdict of an earlier round comes behind what runs now, and without colour.
    """
    runs = [run for run in facts.runs if run.phase == cell.phase]
    later = overtaken_by(gate, facts.runs)
    what_next = _what_next(cell, gate, runs, facts.questions)
    if gate is not None and later is not None:
        made = [_what_runs(cell, later), *what_next, *_to_mend(runs), BLANK]
        made += [
            _without_colour(p) for p in (*_verdict_of_before(cell, gate, runs), *criteria_paragraphs(gate.criteria))
        ]
    else:
        made = [*_verdict(cell, gate), *what_next, *_measured(gate), *_to_mend(runs)]
    made += decision_paragraphs(
        [d for d in facts.decisions if d.phase == cell.phase], [c for c in facts.conflicts if c.phase == cell.phase]
    )
    proofs = evidence_paragraphs(gate.criteria) if gate is not None else []
    if gate is not None and proofs:
        of = f" in round {gate.round}" if later is not None else ""
        made += [BLANK, heading(f"What was run to measure it{of}"), *proofs]
    return made + _rounds(runs, [g for g in facts.gates if g.phase == cell.phase])


def _what_runs(cell: PhaseCell, later: PhaseRunRow) -> Paragraph:
    """What makes the last verdict one of before."""
    if later.phase != cell.phase:
        return Paragraph(
            (("↺ ", "ask"), (f"{later.phase} went into round {later.round} after this was judged.", "strong"))
        )
    mark = PHASE_MARKS.get(cell.status, UNKNOWN)
    told = f"Round {later.round} {WHAT_RUNS.get(cell.status, 'has begun')}"
    return Paragraph(((f"{mark.glyph} ", mark.tone), (told, "strong"), ("; its gate has not judged yet.", "text")))


def _verdict_of_before(cell: PhaseCell, gate: GateResultRow, runs: Sequence[PhaseRunRow]) -> list[Paragraph]:
    void = ", which counts for nothing" if _is_void(gate, runs) else ""
    return [Paragraph(((f"Round {gate.round}{void}: ", "dim"), *verdict.line)) for verdict in _verdict(cell, gate)]


def _is_void(gate: GateResultRow, runs: Sequence[PhaseRunRow]) -> bool:
    return any((r.phase, r.round, r.outcome) == (gate.phase, gate.round, "void") for r in runs)


def _without_colour(paragraph: Paragraph) -> Paragraph:
    line, tail = (tuple((text, "dim") for text, _ in part) for part in (paragraph.line, paragraph.tail))
    return Paragraph(line, paragraph.hang, tail)


def _measured(gate: GateResultRow | None) -> list[Paragraph]:
    if gate is None:
        return []
    made = [BLANK, *criteria_paragraphs(gate.criteria)]
    if not gate.passed and gate.suggested_action:
        made += [BLANK, heading("What would help"), Paragraph(((one_line(gate.suggested_action, 1_000), "text"),))]
    return made


def _verdict(cell: PhaseCell, gate: GateResultRow | None) -> list[Paragraph]:
    phase = PHASE_BY_CODE[cell.phase]
    if gate is None:
        said = f"The gate of {phase.title} has not judged yet." if cell.status else f"{phase.title} is not reached yet."
        works = f"{phase.orchestrator} takes {phase.takes} and hands on {phase.leaves}. At work in it:"
        return [
            Paragraph(((said, "text"),)),
            Paragraph(((works, "dim"),)),
            Paragraph(((", ".join(phase.roles), "faint"),), 1),
        ]
    unmet = sum(not c.get("passed") for c in gate.criteria)
    many = plural(len(gate.criteria), "criterion", "criteria")
    if gate.passed:
        return [Paragraph((("✓ passed  ", "good"), (f"{many}, all met", "text")))]
    lead: Line = (("✗ not passed  ", "bad"), (f"{unmet} of {many} {'is' if unmet == 1 else 'are'} not met", "strong"))
    return [Paragraph(lead)]


def _what_next(
    cell: PhaseCell, gate: GateResultRow | None, runs: Sequence[PhaseRunRow], questions: Sequence[EscalationRow]
) -> list[Paragraph]:
    """The question that the phase waits with and the keys to it, or what became of the round."""
    asked = [q for q in questions if q.phase == cell.phase]
    made = []
    for question in asked[:1]:
        more = len(asked) - 1
        waits = f"and {more} more wait" if more else "waits"
        told: Line = (("◆ ", "ask"), (f"Question {question.id} {waits} for you: ", "ask"))
        keys: Line = (("enter", "accent"), (f" on {cell.phase} in pane ", "dim"), ("1", "accent"))
        made.append(Paragraph((*told, *keys, (f" opens {'the first' if more else 'it'}", "dim")), 2))
    outcome = runs[-1].outcome if runs else None
    if gate is not None and not asked and outcome in OUTCOMES:
        made.append(Paragraph(((OUTCOMES[str(outcome)], "ask"),)))
    return made


def _to_mend(runs: Sequence[PhaseRunRow]) -> list[Paragraph]:
    """What sent the work into a round that still runs."""
    if not runs or runs[-1].ended_at is not None or not runs[-1].missing:
        return []
    made = [BLANK, heading("What this round is to mend")]
    return made + [Paragraph(((" · ", "faint"), (one_line(str(m), 500), "text")), 3) for m in runs[-1].missing[:50]]


def _rounds(runs: Sequence[PhaseRunRow], gates: Sequence[GateResultRow]) -> list[Paragraph]:
    """Every round with what became of it, and how long the phase took."""
    if not runs:
        return []
    if len(runs) == 1:
        took = _took(runs[0])
        return [BLANK, Paragraph((("the phase took ", "dim"), (took, "text")))] if took else []
    judged = {g.round: g for g in gates}
    made = [BLANK, heading("Rounds")]
    for run in runs:
        mark = PHASE_MARKS.get(run.outcome or "running", UNKNOWN)
        gate = judged.get(run.round)
        met = f"  {sum(bool(c.get('passed')) for c in gate.criteria)} of {len(gate.criteria)} met" if gate else ""
        made.append(Paragraph(((f" {run.round}  ", "text"), *mark.line(), (f"  {_took(run)}{met}", "dim")), 4))
    return made


def _took(run: PhaseRunRow) -> str:
    return exact_time(run.ended_at - run.started_at) if run.ended_at is not None else ""
