"""An agent in words: what it is for, what it does and did, what it may decide and who said so, its instructions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.governance.authority import AUTONOMOUS, Kind
from core.governance.context import ContextFiles
from core.governance.performance import Performance
from core.phases import PHASE_BY_CODE
from core.sanitise import one_line, sanitise
from core.store.rows import AgentRow, CounterRow
from tui.governance.agent_reading import SeenAgent, TeamRow
from tui.screens.scope.dialogs import ASKS, DECIDES
from tui.text.amounts import dollars
from tui.text.words import AGENT_MARKS, UNKNOWN, Line, exact_time, plural, whole_time
from tui.widgets.document import BLANK, Paragraph, heading, text

LABEL = 15
_ENTRY = re.compile(r"(?:[-*+]|\d+[.)]) ")
_BEGINS = re.compile(r"(?:[-*+] |\d+[.)] |#|\||```)")
MOST_SOP = 200_000
"""Characters of instructions that are shown; the whole of them is in the database."""
MOST_DOCUMENTS = 20


def agent_paragraphs(seen: SeenAgent, documents: ContextFiles | None, now: int) -> list[Paragraph]:
    agent = seen.row.agent
    made = [Paragraph(((one_line(agent.role, 64), "strong"), (f"  {one_line(agent.display_name, 80)}", "dim")))]
    made.append(Paragraph(((f" {one_line(agent.description, 1_000)}", "text"),), 1))
    if not agent.is_active:
        made.append(Paragraph(((" ▲ the team's files no longer name it: it is given no work", "ask"),), 3))
    made += [BLANK, *_work(seen.row, now), *_facts(agent, now)]
    if agent.agent_type == "domain":
        made += _authority(seen.kinds, now)
        made += _record(seen.performance)
        made += _documents(documents)
    sop = sanitise(agent.sop_content, limit=MOST_SOP).rstrip() or "It has none."
    return [*made, BLANK, heading("Instructions"), *text("\n".join(joined(sop)), indent=1)]


def joined(sop: str) -> list[str]:
    """The lines, with those put together again that were only broken to fit a file: they are wrapped to the pane."""
    made: list[str] = []
    for line in sop.split("\n"):
        lead = len(line) - len(line.lstrip(" "))
        goes_on = made and made[-1].strip() and line.strip() and not _BEGINS.match(line.strip())
        # What follows an entry of a list is indented to its text; other lines stand where the one before them stands.
        hangs = (
            lead > _lead(made[-1])
            if made and _ENTRY.match(made[-1].strip())
            else bool(made) and lead == _lead(made[-1])
        )
        if goes_on and hangs and not made[-1].lstrip().startswith("#"):
            made[-1] = f"{made[-1].rstrip()} {line.strip()}"
        else:
            made.append(line)
    return made


def _lead(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _work(row: TeamRow, now: int) -> list[Paragraph]:
    mark = AGENT_MARKS.get(row.state, UNKNOWN)
    line: Line = ((f" {'now':<{LABEL}}", "dim"), *mark.line())
    made = [Paragraph(line, LABEL + 1)]
    for task in row.tasks[:5]:
        what = " ".join(word for word in (f"#{task.work_item}", task.phase, one_line(task.subject, 40)) if word)
        made.append(_fact("", f"{what}, for {whole_time(now - task.since)}"))
    return [*made, _fact("today", plural(row.runs_today, "run")), _fact("ever", _ever(row.ever, now))]


def _ever(counted: CounterRow | None, now: int) -> str:
    if counted is None or not counted.runs:
        return "it has never run here"
    failed = f"{counted.failures} failed" if counted.failures else "none failed"
    words = [f"{plural(counted.runs, 'run')}, {failed}", exact_time(counted.milliseconds)]
    words += [f"{counted.tokens:,} tokens"] if counted.tokens else []
    words += [dollars(counted.cost)] if counted.cost else []
    words += [f"last used {whole_time(now - counted.last_at)} ago"] if counted.last_at else []
    return " · ".join(words)


def _facts(agent: AgentRow, now: int) -> list[Paragraph]:
    phase = PHASE_BY_CODE.get(agent.phase or "")
    model = f", model {one_line(agent.model, 60)}" if agent.model else ""
    place = f"tier {agent.tier}, {one_line(agent.agent_type, 40)}" + (f", phase {phase.code}" if phase else "")
    pairs = (
        ("in the team", place),
        ("gate", f"{phase.gate_agent} judges its phase" if phase else ""),
        ("runtime", f"{one_line(agent.runtime, 40)}{model}"),
        ("acts outward", "yes: what it does leaves this machine" if agent.outward else ""),
        ("can", _words(agent.capabilities)),
        ("technologies", _words(agent.technologies)),
        ("serves", _words(agent.serves)),
        ("tools", _words(agent.tools)),
        ("from", one_line(agent.origin, 200)),
        ("file", _file(agent, now)),
    )
    return [_fact(name, value) for name, value in pairs if value]


def _file(agent: AgentRow, now: int) -> str:
    if not agent.file_path:
        return ""
    made = f", made {whole_time(now - agent.generated_at)} ago" if agent.generated_at else ""
    return f"{one_line(agent.file_path, 200)}{made}"


def _authority(kinds: Sequence[Kind], now: int) -> list[Paragraph]:
    """Both lists, and of each kind who gave it its authority."""
    made = []
    for mark, title, listed in (
        (DECIDES, "It decides itself", [k for k in kinds if k.mode == AUTONOMOUS]),
        (ASKS, "It asks a person", [k for k in kinds if k.mode != AUTONOMOUS]),
    ):
        made += [BLANK, Paragraph(((title, "accent"), (f"  {len(listed)}", "faint")))]
        wide = max((len(one_line(kind.key, 40)) for kind in listed), default=0)
        for kind in listed:
            line: Line = (
                (f" {mark.glyph} ", mark.tone),
                (f"{one_line(kind.key, 40):<{wide}}", "strong"),
                (f"  impact {kind.impact:<3}", "dim"),
                (_limit(kind), "ask"),
                (_granted(kind, now), "dim"),
            )
            made.append(Paragraph(line, 3))
    return made or [BLANK, Paragraph(((" No list names a kind for it.", "dim"),))]


def _limit(kind: Kind) -> str:
    if kind.limit is None:
        return ""
    return "ceiling  " if kind.ceiling is not None else "cannot be undone  "


def _granted(kind: Kind, now: int) -> str:
    if kind.grant is None:
        return "nobody granted it"
    proposal = f" by proposal {kind.grant.proposal}" if kind.grant.proposal is not None else ""
    return f"{one_line(kind.grant.by, 40)}, {whole_time(now - kind.grant.at)} ago{proposal}"


def _record(found: Performance | None) -> list[Paragraph]:
    if found is None:
        return []
    decided = f"{found.decided} by itself, {found.escalated} asked, {found.reversed} taken back"
    answers = f"{found.accepted} of {found.answered} as recommended" if found.answered else "none answered yet"
    fought = found.conflicts_won + found.conflicts_lost
    return [
        BLANK,
        heading("What it did with it"),
        _fact("decisions", decided),
        _fact("answers", answers),
        _fact("conflicts", f"{found.conflicts_won} won, {found.conflicts_lost} lost" if fought else "none"),
    ]


def _documents(found: ContextFiles | None) -> list[Paragraph]:
    if found is None:
        return []
    made = [BLANK, heading("Documents")]
    made += _listed("given", found.given, "none of its patterns matches a file")
    made += _listed("missing", found.missing, "")
    if found.left_out:
        made.append(_fact("left out", f"{plural(found.left_out, 'document')}, too large or too many"))
    return made


def _listed(name: str, paths: Sequence[str], otherwise: str) -> list[Paragraph]:
    shown = [one_line(path, 200) for path in paths[:MOST_DOCUMENTS]]
    if len(paths) > MOST_DOCUMENTS:
        shown.append(f"and {len(paths) - MOST_DOCUMENTS} more")
    if not shown:
        return [_fact(name, otherwise)] if otherwise else []
    return [_fact(name if n == 0 else "", path) for n, path in enumerate(shown)]


def _words(found: Iterable[str]) -> str:
    return ", ".join(one_line(str(word), 60) for word in found)


def _fact(name: str, value: str) -> Paragraph:
    return Paragraph(((f" {name:<{LABEL}}", "dim"), (value, "text")), LABEL + 1)
