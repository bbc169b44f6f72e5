"""A delegation in five sections: what came of it, what was asked, answered and run, and what happened when."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from core.contract import Json
from core.phases import PHASE_BY_CODE
from core.sanitise import one_line, sanitise
from core.store.reads_delegations import DelegationFacts, Raised
from core.store.reads_turns import CallRow
from core.store.rows import EscalationRow, EvidenceRow
from tui.governance.tiers import told_of
from tui.screens.work.paid_text import fact, paid_paragraphs
from tui.screens.work.turn_text import Told
from tui.text.amounts import used
from tui.text.json_text import json_paragraphs
from tui.text.moments import exact_moment, moment
from tui.text.words import DELEGATION_MARKS, UNKNOWN, Line, Mark, exact_time
from tui.widgets.document import BLANK, Paragraph, heading, text

OUTPUT_LIMIT = 20_000
_MOMENT = 0
"""Stands where a turn has its number."""
WAITS = Mark("◆", "waits", "ask")


def state_of(facts: DelegationFacts) -> Mark:
    if facts.recorded is not None:
        return DELEGATION_MARKS.get(facts.recorded.status, UNKNOWN)
    return DELEGATION_MARKS["RUNNING"] if facts.since is not None else WAITS


def summary(facts: DelegationFacts, now: int, calls: Sequence[CallRow] = ()) -> list[Paragraph]:
    """How it stands, who asked whom for what, and what it cost."""
    called, recorded = facts.called, facts.recorded
    made = [Paragraph((*state_of(facts).line(), ("   ", "text"), *_took(facts, now))), *_now(facts)]
    made += [BLANK, *_went_wrong(facts.metadata)]
    if recorded is None and facts.since is None:
        made += [Paragraph((("It does not run at this moment, and it has not answered yet.", "ask"),)), BLANK]
    phase = PHASE_BY_CODE.get(called.phase)
    asked_by = str(facts.request.get("requesting_agent") or (phase.orchestrator if phase else ""))
    made.append(fact("asked by", asked_by))
    made.append(fact("phase", f"{called.phase} {phase.title if phase else ''}, round {called.round}"))
    if called.subject:
        made.append(fact("task", f"{called.subject} {_title(facts.task)}".rstrip()))
    if facts.agent is not None and facts.agent.description:
        made.append(fact("is for", facts.agent.description))
    made += _executed(facts, calls)
    made += _rounds(facts)
    made += _decided(facts.raised)
    made += _asked(facts.questions)
    return made


def _took(facts: DelegationFacts, now: int) -> Line:
    if facts.recorded is not None:
        return ("took ", "dim"), (exact_time(facts.recorded.milliseconds), "text")
    if facts.since is not None:
        return ("for ", "dim"), (exact_time((now - facts.since) // 1_000 * 1_000), "text")
    return ()


def _now(facts: DelegationFacts) -> list[Paragraph]:
    """What it tells of itself at this moment."""
    doing, tokens, dollars = told_of(facts.live)
    spent = f"  {used(tokens, dollars)}" if tokens else ""
    return [Paragraph((("  ", "text"), (doing, "run"), (spent, "dim")), 2)] if doing or spent else []


def _title(task: Json | None) -> str:
    return str(task.get("title", "")) if task else ""


def _went_wrong(metadata: Json) -> list[Paragraph]:
    """What went wrong and what would help, said before everything else."""
    made: list[Paragraph] = []
    if metadata.get("error"):
        made.append(fact("error", str(metadata["error"]), "bad"))
    missing = metadata.get("missing")
    made += [fact("missing", str(entry), "ask") for entry in missing] if isinstance(missing, list) else []
    if metadata.get("suggestion"):
        made.append(fact("what would help", str(metadata["suggestion"])))
    return [*made, BLANK] if made else []


def _executed(facts: DelegationFacts, calls: Sequence[CallRow]) -> list[Paragraph]:
    """Executed by what, at which price; what nobody measured is said to be so."""
    told, recorded = facts.metadata, facts.recorded
    if recorded is None:
        runtime = facts.agent.runtime if facts.agent is not None else "unknown"
        return [fact("runtime", runtime, "ask" if runtime == "replay" else "text"), *paid_paragraphs(calls)]
    made = [fact("runtime", recorded.runtime, "ask" if recorded.runtime == "replay" else "text")]
    for name in ("tool",) if calls else ("model", "tool"):
        if told.get(name):
            made.append(
                fact(name, f"{told[name]} {told.get('tool_version') or ''}" if name == "tool" else str(told[name]))
            )
    made += paid_paragraphs(calls) or _measured(told)
    made += [fact(name, _in_words(told[name])) for name in MORE if told.get(name) not in (None, "", [], {})]
    made.append(fact("recorded", f"{exact_moment(recorded.at)}, event {recorded.event}"))
    return [*made, fact("request digest", recorded.request_digest)]


MORE = ("sandbox", "tries", "turns", "session", "permission_denials")
"""What else a runtime may say of an execution."""


def _measured(told: Json) -> list[Paragraph]:
    """What the response itself says it cost, where no call is on record."""
    tokens, cost = told.get("tokens"), told.get("cost")
    return [
        fact("tokens", f"{tokens:,}" if isinstance(tokens, int) else "not measured"),
        fact("cost", f"${cost:,.4f}" if isinstance(cost, int | float) else "not measured"),
    ]


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:2_000]


def _rounds(facts: DelegationFacts) -> list[Paragraph]:
    """The other times it was asked the same for this work item."""
    if len(facts.rounds) < 2:
        return []
    made = [BLANK, heading("Rounds")]
    for row in facts.rounds:
        here = " (this one)" if row.round == facts.called.round else ""
        mark = DELEGATION_MARKS.get(row.status, UNKNOWN)
        took: Line = ((f"  {exact_time(row.milliseconds)}{here}", "dim"),)
        made.append(Paragraph(((f" round {row.round}  ", "text"), *mark.line(), *took)))
    return made


def _decided(raised: Sequence[Raised]) -> list[Paragraph]:
    if not raised:
        return []
    made = [BLANK, heading("Decisions it raised")]
    for entry in raised:
        question = one_line(str(entry.told.get("question") or entry.told.get("kind") or ""), 500)
        made.append(Paragraph((("◆ ", "ask"), (question, "text")), 2))
        made.append(Paragraph((("  ", "text"), (_outcome(entry), "dim")), 2))
    return made


def _outcome(raised: Raised) -> str:
    row = raised.row
    if row is None:
        return "not on the record yet"
    if row.reverted_at is not None:
        return f"taken back by {one_line(row.reverted_by or 'nobody named', 60)}"
    if row.choice is None:
        return f"waits for {one_line(row.agent, 40)}" + (f", question {row.escalation}" if row.escalation else "")
    who = one_line(row.decided_by or row.agent, 60)
    how = {"human": "a person", "rule": "a rule", "timeout": "its time was up"}.get(
        row.provenance or "", row.provenance
    )
    return f"{one_line(row.choice, 60)}, decided by {who}" + (f" ({one_line(how, 40)})" if how else "")


def _asked(questions: Sequence[EscalationRow]) -> list[Paragraph]:
    if not questions:
        return []
    made = [BLANK, heading("Questions it put to people")]
    for row in questions:
        told: Line = ((f" #{row.id} ", "accent"), (one_line(row.question, 300), "text"))
        made.append(Paragraph((*told, (f"  {_question_state(row)}", "dim")), 5))
    return made


def _question_state(row: EscalationRow) -> str:
    ends = (("answered", row.resolved_at), ("withdrawn", row.withdrawn_at), ("expired", row.expired_at))
    return next((word for word, at in ends if at is not None), "merged" if row.merged_into else "open")


def request(facts: DelegationFacts) -> list[Paragraph]:
    """What was asked; of what has no record yet, what it is made of."""
    if facts.request:
        said = "Without the artifact, the work item and the answers of others: the journal holds each of them once."
        return [Paragraph(((said, "faint"),)), *_given(facts), BLANK, *json_paragraphs(facts.request)]
    said = "The request goes into the journal together with its answer. It is made of this:"
    return [Paragraph(((said, "dim"),)), BLANK, *_given(facts), *_told(facts)]


def _given(facts: DelegationFacts) -> list[Paragraph]:
    given = facts.given
    return (
        [fact("artifact", f"{given.type} {given.digest[:12]}, made by {given.producer}")] if given is not None else []
    )


def _told(facts: DelegationFacts) -> list[Paragraph]:
    phase = PHASE_BY_CODE.get(facts.called.phase)
    step = next((s for s in phase.steps if s.agent == facts.called.agent), None) if phase is not None else None
    made = [fact("asked by", phase.orchestrator)] if phase is not None else []
    if step is not None and step.reads:
        made.append(fact("is told by", ", ".join(step.reads)))
    if facts.task is not None:
        made += [BLANK, heading(f"Task {facts.called.subject}"), *json_paragraphs(facts.task)]
    return made


def response(facts: DelegationFacts) -> list[Paragraph]:
    if facts.recorded is None:
        return [Paragraph((("Nothing yet: it is here as soon as it has ended.", "dim"),))]
    return json_paragraphs(facts.response)


def evidence(facts: DelegationFacts) -> list[Paragraph]:
    """Every command that was run for it, with its exit code, its time and the end of its output."""
    if not facts.commands:
        said = "No command was run for it." if facts.recorded is not None else "What it runs is recorded when it ends."
        return [Paragraph(((said, "dim"),))]
    return [p for row in facts.commands for p in (*command_paragraphs(row), BLANK)]


def command_paragraphs(row: EvidenceRow) -> Iterator[Paragraph]:
    yield Paragraph((("$ ", "accent"), (one_line(shlex.join(row.command), 1_000), "strong")), 2)
    code, tone = _code(row)
    tool = one_line(f"{row.tool} {row.tool_version}", 80)
    said = "   ".join(part for part in (exact_time(row.milliseconds), tool, one_line(row.note, 200)) if part)
    yield Paragraph(((f"  {code}", tone), (f"   {said}", "dim")), 2)
    yield from text(sanitise(row.output_tail, limit=OUTPUT_LIMIT), "dim", indent=2)


def _code(row: EvidenceRow) -> tuple[str, str]:
    if row.timed_out:
        return "stopped at its time limit", "bad"
    if row.exit_code is None:
        return "did not run or was killed", "bad"
    return f"exit {row.exit_code}", "good" if row.exit_code == 0 else "bad"


def log(facts: DelegationFacts, now: int, turns: Sequence[Told] = ()) -> list[Paragraph]:
    """What happened to it in the order in which it did, as far as it is written down."""
    made = []
    if turns and turns[0].number > 1:
        made.append(Paragraph(((f"{turns[0].number - 1:,} earlier turns are in the history", "faint"),)))
    happened = [(at, _MOMENT, line) for at, line in _happened(facts)]
    happened += [(turn.at, turn.number, line) for turn in turns for line in turn.lines]
    before = ("", 0)
    for at, number, line in sorted(happened, key=lambda entry: (entry[0], entry[1])):
        when = moment(at, now)
        shown = "" if (when, number) == before and number else when
        count = f"{number:>3} " if number > 0 and (when, number) != before else "    " if number > 0 else ""
        made.append(Paragraph(((f"{shown:<10} ", "faint"), (count, "dim"), *line), 15 if number > 0 else 11))
        before = (when, number)
    if facts.since is not None:
        now_line = _now(facts)
        line = now_line[0].line[1:] if now_line else (("it runs; its runtime has told nothing so far", "dim"),)
        made.append(Paragraph(((f"{'now':<10} ", "run"), *line), 11))
    return made or [Paragraph((("Nothing is written down about it yet.", "dim"),))]


def _happened(facts: DelegationFacts) -> Iterator[tuple[int, Line]]:
    recorded = facts.recorded
    begun = facts.since if recorded is None else recorded.at - recorded.milliseconds
    for row in facts.rounds:
        if row.round < facts.called.round:
            mark = DELEGATION_MARKS.get(row.status, UNKNOWN)
            yield row.at, ((f"round {row.round} ended: ", "dim"), *mark.line())
    if begun is not None:
        yield begun, ((f"asked, in round {facts.called.round}", "text"),)
    if facts.intended_at is not None:
        yield facts.intended_at, (("wrote down that it acts on the world outside, before it did", "text"),)
    for command in facts.commands:
        code, tone = _code(command)
        told = one_line(shlex.join(command.command), 200)
        yield command.at, (("$ ", "accent"), (told, "text"), (f"  {code}", tone))
    if recorded is not None:
        mark = DELEGATION_MARKS.get(recorded.status, UNKNOWN)
        yield recorded.at, (("answered: ", "text"), *mark.line(), (f", recorded as event {recorded.event}", "dim"))
    yield from _decisions_happened(facts.raised)
    yield from _questions_happened(facts.questions)


def _decisions_happened(raised: Sequence[Raised]) -> Iterator[tuple[int, Line]]:
    for row in (entry.row for entry in raised if entry.row is not None):
        yield row.at, (("raised a decision: ", "text"), (one_line(row.question, 200), "dim"))
        if row.decided_at is not None:
            who = one_line(row.decided_by or row.agent, 60)
            yield row.decided_at, ((f"{who} decided: ", "text"), (one_line(row.choice or "", 100), "strong"))
        if row.reverted_at is not None:
            yield row.reverted_at, ((f"taken back by {one_line(row.reverted_by or '', 60)}", "bad"),)


def _questions_happened(questions: Sequence[EscalationRow]) -> Iterator[tuple[int, Line]]:
    for row in questions:
        yield row.raised_at, ((f"asked people #{row.id}: ", "ask"), (one_line(row.question, 200), "dim"))
        ended = row.resolved_at or row.withdrawn_at or row.expired_at
        if ended is not None:
            yield ended, ((f"#{row.id} was {_question_state(row)}", "text"),)


def counts(facts: DelegationFacts, turns: Sequence[Told] = ()) -> tuple[str, ...]:
    """The names of the sections, with how much is in those where that is worth knowing."""
    commands = f"evidence {len(facts.commands)}" if facts.commands else "evidence"
    log_title = f"log {turns[-1].number}" if turns else "log"
    return "summary", "request", "response", commands, log_title
