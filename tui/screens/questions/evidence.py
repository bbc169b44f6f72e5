"""What a question rests on, in full: every command that was run for it, how it ended, and what it said last."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from core.sanitise import one_line, sanitise
from core.store import reads
from core.store.reads import Connection
from core.store.rows import EscalationRow, EvidenceRow
from tui.actions import bindings
from tui.background import in_background
from tui.screens.dialogs.dialog import Dialog
from tui.screens.questions.question_text import measured
from tui.text.words import Line, exact_time, whole_time
from tui.widgets.document import BLANK, Document, Paragraph, text

MOST_COMMANDS = 200
MOST_OUTPUT = 40_000
"""Characters of a command's last output."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A command, and whether the question names it or it belongs to the same round of the phase."""

    row: EvidenceRow
    is_named: bool


def proofs_of(reader: Connection, question: EscalationRow) -> tuple[Proof, ...]:
    """Those that the question's measurements name first, then the others of its round; each the newest first."""
    if question.work_item is None:
        return ()
    named = {entry.get("delegation") for entry in _entries(question)} - {None}
    ran = {d.id: (d.phase, d.round) for d in reads.delegations(reader, question.work_item)}
    here = (question.phase, question.round)
    found = [
        Proof(row, row.delegation in named)
        for row in reads.evidence(reader, work_item=question.work_item, limit=MOST_COMMANDS)
        if row.delegation in named or row.delegation is None or ran.get(row.delegation) == here
    ]
    return tuple(sorted(found, key=lambda proof: not proof.is_named))


def _entries(question: EscalationRow) -> list[Mapping[str, Any]]:
    criteria = measured(question.details)
    return [entry for c in criteria for entry in c.get("evidence", ()) if isinstance(entry, Mapping)]


class EvidenceDialog(Dialog[None]):
    """Reads what the question rests on and shows it, to be scrolled through."""

    PLACES: ClassVar[tuple[str, ...]] = ("evidence",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("evidence")]
    CSS_PATH = "../../styles/decision.tcss"

    def __init__(self, question: EscalationRow) -> None:
        super().__init__()
        self.title_text = f"Evidence of question {question.id}"
        self._question = question

    def body(self) -> Iterable[Widget]:
        yield Document(widget_id="evidence")

    def on_mount(self) -> None:
        self.query_one(Document).focus()
        in_background(self, self._read(), group="evidence")

    async def _read(self) -> None:
        question = self._question
        found = await self.apm.bridge.read(lambda reader, _, __: proofs_of(reader, question))
        self.set_class(not found, "-bare")
        self.query_one(Document).show(evidence_in_full(found, question, self.apm.now()))


def evidence_in_full(found: Sequence[Proof], question: EscalationRow, now: int) -> list[Paragraph]:
    if not found:
        others = sorted({one_line(str(e["agent"]), 60) for e in _entries(question) if e.get("agent")})
        told = f"It rests on what these agents worked out: {', '.join(others)}." if others else NOTHING_MORE
        return [Paragraph((("No commands are on record for it.", "strong"),)), Paragraph(((told, "dim"),))]
    made: list[Paragraph] = []
    some_are_named = any(proof.is_named for proof in found)
    for proof in found:
        made += [BLANK] if made else []
        made += _command(proof, now, "" if proof.is_named or not some_are_named else NOT_NAMED)
    return made


NOTHING_MORE = "All that is known of it stands on the question itself."
NOT_NAMED = "of the same round; no measurement names it"


def _command(proof: Proof, now: int, remark: str) -> list[Paragraph]:
    row = proof.row
    good = row.exit_code == 0 and not row.timed_out
    ended = "timed out" if row.timed_out else "not ended" if row.exit_code is None else f"exit {row.exit_code}"
    head: Line = ((f"{'✓' if good else '✗'} {ended}  ", "good" if good else "bad"), (_shell(row.command), "strong"))
    tool = " ".join(part for part in (row.tool, row.tool_version) if part)
    took = "not measured" if not row.milliseconds else exact_time(row.milliseconds)
    where = "" if row.cwd in ("", ".") else f"in {row.cwd}"
    facts = (row.agent, tool, took, where, f"{whole_time(now - row.at)} ago", remark)
    told: Line = (("  " + "   ".join(one_line(fact, 120) for fact in facts if fact), "dim"),)
    made = [Paragraph(head, 2), Paragraph(told, 2)]
    if row.note:
        made.append(Paragraph(((f"  {one_line(row.note, 500)}", "text"),), 2))
    output = sanitise(row.output_tail, limit=MOST_OUTPUT).strip("\n")
    made.append(BLANK)
    return made + (text(output, indent=4) if output else [Paragraph((("    it printed nothing", "faint"),))])


def _shell(command: Sequence[str]) -> str:
    return one_line(shlex.join(str(word) for word in command), 1_000)
