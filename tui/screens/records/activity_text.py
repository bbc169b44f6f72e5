"""A command, and a call of an agent, in words: how it ended, where it ran, what it cost, and what it printed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.sanitise import one_line, sanitise
from core.store.reads_activity import CallRow, CommandRow
from core.store.rows import DelegationRow, EvidenceRow
from tui.screens.records.history_text import fact
from tui.text import amounts
from tui.text.moments import exact_moment
from tui.text.words import DELEGATION_MARKS, UNKNOWN, Line, Mark, exact_time
from tui.widgets.document import BLANK, Paragraph, heading, text

NOT_MEASURED = "not measured"
MOST_OUTPUT = 20_000


def command_mark(row: CommandRow | EvidenceRow) -> Mark:
    """How a command ended: its exit code, a signal, a time limit, or that it never ran or was stopped by apm."""
    if row.timed_out:
        return Mark("✗", "timed out", "bad")
    if row.exit_code is None:
        return Mark("✗", "no exit", "bad")
    if row.exit_code < 0:
        return Mark("✗", f"signal {-row.exit_code}", "bad")
    return Mark("✓", "exit 0", "good") if row.exit_code == 0 else Mark("✗", f"exit {row.exit_code}", "bad")


def command_line(command: Sequence[str], limit: int = 300) -> str:
    """As a shell would take it; without the folders that the program lies in."""
    program, *words = command or ("",)
    return one_line(shlex.join([program.rsplit("/", 1)[-1], *words]), limit)


def command_paragraphs(row: EvidenceRow | None) -> list[Paragraph]:
    if row is None:
        return [Paragraph((("This command is not on record any more.", "bad"),))]
    mark = command_mark(row)
    return [
        Paragraph((("$ ", "accent"), (one_line(shlex.join(row.command), 4_000), "strong")), 2),
        BLANK,
        Paragraph((*mark.line(), (f"   {exact_time(row.milliseconds)}", "dim"))),
        *([fact("why", _WHY)] if row.exit_code is None and not row.timed_out else []),
        *([fact("note", row.note)] if row.note else []),
        fact("when", exact_moment(row.at)),
        fact("by", row.agent),
        fact("work item", "none" if row.work_item is None else str(row.work_item)),
        fact("folder", row.cwd or "not recorded"),
        fact("tool", f"{row.tool} {row.tool_version}".strip() or "version not recorded"),
        *_output(row),
    ]


_WHY = "it never started, or apm stopped it; the output says more"


def _output(row: EvidenceRow) -> list[Paragraph]:
    digest: Line = (("digest of all it printed ", "dim"), (one_line(row.output_digest, 80) or "not recorded", "faint"))
    if not row.output_tail.strip():
        return [BLANK, heading("Output"), Paragraph((("It printed nothing.", "dim"),)), BLANK, Paragraph(digest, 2)]
    title: Line = (("Output", "accent"), ("  the end of it, as far as it is kept", "faint"))
    return [
        BLANK,
        Paragraph(title),
        *text(sanitise(row.output_tail, limit=MOST_OUTPUT)),
        BLANK,
        Paragraph(digest, 2),
    ]


def call_mark(row: DelegationRow) -> Mark:
    return DELEGATION_MARKS.get(row.status, UNKNOWN)


def dollars(cost: float | None) -> str:
    return NOT_MEASURED if cost is None else amounts.dollars(cost)


def call_paragraphs(row: CallRow) -> list[Paragraph]:
    found = row.delegation
    if not found.event:
        return _running(found)
    tokens = NOT_MEASURED if row.tokens is None else f"{row.tokens:,}"
    return [
        _headline(found),
        BLANK,
        Paragraph((*call_mark(found).line(), (f"   {exact_time(found.milliseconds)}", "dim"))),
        fact("when", exact_moment(found.at)),
        fact("work item", str(found.work_item)),
        fact("phase", f"{found.phase}, round {found.round}"),
        fact("task", found.subject or "none"),
        fact("runtime", found.runtime or "not recorded", "ask" if found.runtime == "replay" else "text"),
        fact("model", row.model or "none named"),
        fact("tokens", tokens),
        fact("cost", dollars(row.cost)),
        fact("event", str(found.event)),
        BLANK,
        Paragraph((("enter", "accent"), (" shows what was asked and answered", "dim"))),
    ]


def _running(row: DelegationRow) -> list[Paragraph]:
    return [
        _headline(row),
        BLANK,
        Paragraph((*call_mark(row).line(), ("   since ", "dim"), (exact_moment(row.at), "text"))),
        fact("work item", str(row.work_item)),
        fact("phase", row.phase),
        fact("task", row.subject or "none"),
        BLANK,
        Paragraph((("Runtime, tokens and cost are on record once it has ended.", "dim"),)),
        Paragraph((("enter", "accent"), (" shows what it was asked, and goes on with it", "dim"))),
    ]


def _headline(row: DelegationRow) -> Paragraph:
    return Paragraph(((one_line(row.agent, 60), "strong"), (f"  {one_line(row.subject, 30)}", "dim")))
