"""The kinds of events in words, whose word an event was, and what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.contract import Json
from core.sanitise import one_line
from core.store.event_facts import AGENT, ENGINE, PERSON, RULE, TIME_OUT, EventFacts, Who
from core.store.reads_events import HistoryRow, subject_of
from tui.text.words import DELEGATION_MARKS, UNKNOWN, Line, Mark, Span, span_of_time

_ASKED, _GOOD, _BAD, _PLAIN, _QUIET = "ask", "good", "bad", "text", "dim"

KINDS: Mapping[str, Mark] = {
    "work_item.created": Mark("○", "work item written", _PLAIN),
    "work_item.accepted": Mark("○", "work item accepted", _PLAIN),
    "work_item.cancelled": Mark("✗", "work item cancelled", _ASKED),
    "work_item.paused": Mark("‖", "work item paused", _ASKED),
    "work_item.resumed": Mark("●", "work item resumed", _PLAIN),
    "work_item.limited": Mark("‖", "work item limited", _PLAIN),
    "work_item.branched": Mark("·", "branch made", _QUIET),
    "phase.entered": Mark("●", "phase begun", "run"),
    "phase.passed": Mark("✓", "gate passed", _GOOD),
    "phase.blocked": Mark("▲", "gate held it back", _ASKED),
    "phase.sent_back": Mark("↺", "phase sent back", _ASKED),
    "phase.failed": Mark("✗", "phase failed", _BAD),
    "phase.void": Mark("✗", "round void", _QUIET),
    "telemetry.collected": Mark("·", "telemetry collected", _QUIET),
    "project.added": Mark("○", "project added", _PLAIN),
    "project.changed": Mark("○", "project changed", _PLAIN),
    "project.prepared": Mark("·", "worktree prepared", _QUIET),
    "engine.started": Mark("●", "engine started", _QUIET),
    "engine.stopped": Mark("‖", "engine stopped", _QUIET),
    "delegation.recorded": Mark("✓", "agent answered", _QUIET),
    "delegation.intended": Mark("○", "outward act begun", _PLAIN),
    "delegation.turn": Mark("·", "agent's turn", _QUIET),
    "spend.reserved": Mark("·", "call begun", _QUIET),
    "spend.settled": Mark("·", "call paid", _QUIET),
    "spend.lost": Mark("✗", "calls lost", _ASKED),
    "budget.warned": Mark("▲", "budget nearly used", _ASKED),
    "budget.set": Mark("✓", "budget set", _PLAIN),
    "escalation.raised": Mark("◆", "question asked", _ASKED),
    "escalation.raised_again": Mark("◆", "question came again", _ASKED),
    "escalation.resolved": Mark("✓", "question answered", _GOOD),
    "escalation.answered_late": Mark("✓", "answered too late", _QUIET),
    "escalation.withdrawn": Mark("·", "question withdrawn", _QUIET),
    "escalation.separated": Mark("◆", "question unmerged", _PLAIN),
    "escalation.merged": Mark("·", "questions merged", _PLAIN),
    "escalation.widened": Mark("▲", "question holds more", _PLAIN),
    "escalation.acknowledged": Mark("‖", "question seen", _PLAIN),
    "escalation.acknowledgement_ended": Mark("◆", "seen, not answered", _ASKED),
    "escalation.snoozed": Mark("‖", "question put away", _PLAIN),
    "escalation.snooze_ended": Mark("◆", "question is back", _ASKED),
    "escalation.assigned": Mark("○", "question handed over", _PLAIN),
    "escalation.escalated": Mark("▲", "made more urgent", _ASKED),
    "escalation.asked_back": Mark("○", "asked back", _PLAIN),
    "escalation.replied": Mark("◆", "reply given", _ASKED),
    "escalation.unasked": Mark("↺", "asking taken back", _QUIET),
    "escalation.put_back": Mark("↺", "handling taken back", _QUIET),
    "escalation.undone": Mark("↺", "answer taken back", _ASKED),
    "escalation.expired": Mark("✗", "question expired", _ASKED),
    "escalation.reminded": Mark("·", "reminder", _QUIET),
    "escalation.rescheduled": Mark("·", "question's clock set", _QUIET),
    "authority.granted": Mark("✓", "authority granted", _PLAIN),
    "authority.put_back": Mark("↺", "authority as before", _PLAIN),
    "authority.kind_retired": Mark("·", "kind retired", _PLAIN),
    "decision.decided": Mark("✓", "decision made", _PLAIN),
    "decision.escalated": Mark("◆", "decision put up", _ASKED),
    "decision.disputed": Mark("▲", "decision disputed", _ASKED),
    "decision.reversed": Mark("↺", "decision taken back", _ASKED),
    "conflict.resolved": Mark("✓", "conflict resolved", _GOOD),
    "conflict.escalated": Mark("◆", "conflict put up", _ASKED),
    "conflict.raised_again": Mark("◆", "conflict came again", _ASKED),
    "conflict.settled": Mark("✓", "conflict settled", _GOOD),
    "conflict.reopened": Mark("↺", "conflict reopened", _ASKED),
    "scope.reviewed": Mark("○", "scope reviewed", _PLAIN),
    "scope.asked": Mark("◆", "change asked for", _ASKED),
    "scope.proposed": Mark("◆", "change proposed", _ASKED),
    "scope.approved": Mark("✓", "change approved", _GOOD),
    "scope.rejected": Mark("✗", "change rejected", _PLAIN),
    "scope.clarified": Mark("◆", "clarity asked for", _ASKED),
    "scope.put_back": Mark("↺", "word taken back", _ASKED),
    "scope.undone": Mark("↺", "change taken back", _ASKED),
    "scope.rescheduled": Mark("·", "proposal's clock set", _QUIET),
    "scope.wished": Mark("○", "rule wished for", _PLAIN),
    "agents.imported": Mark("○", "team imported", _PLAIN),
    "agents.generated": Mark("·", "agent files written", _QUIET),
    "agents.refused": Mark("✗", "team file refused", _BAD),
    "agents.mended": Mark("✓", "team file in order", _GOOD),
    "setting.changed": Mark("·", "setting changed", _QUIET),
    "context.imported": Mark("○", "context imported", _PLAIN),
    "briefing.made": Mark("○", "briefing kept", _PLAIN),
    "notification.begun": Mark("·", "notices begun", _QUIET),
    "notification.channels": Mark("·", "channels changed", _QUIET),
    "notification.queued": Mark("·", "notices queued", _QUIET),
    "notification.claimed": Mark("·", "notices under way", _QUIET),
    "notification.sent": Mark("✓", "notices sent", _QUIET),
    "notification.suppressed": Mark("·", "notices not needed", _QUIET),
    "notification.put_off": Mark("↺", "notices put off", _ASKED),
    "notification.failed": Mark("✗", "notices failed", _BAD),
    "schedule.planned": Mark("·", "schedule planned", _QUIET),
    "schedule.done": Mark("✓", "schedule kept", _QUIET),
    "schedule.failed": Mark("✗", "schedule failed", _BAD),
    "inbox.applied": Mark("✓", "decisions applied", _GOOD),
    "inbox.rejected": Mark("✗", "decisions refused", _BAD),
    "archive.made": Mark("✓", "work archived", _GOOD),
    "archive.stretch": Mark("·", "in an archive", _QUIET),
    "schema.migrated": Mark("·", "schema changed", _QUIET),
}
"""Every kind that apm writes. Words of at most 20 letters."""
MISSING = Mark("✗", "missing", "bad")
"""Of a number that the journal has no event for, although it numbers them without gaps."""


def mark_of(event: EventFacts) -> Mark:
    if event.kind is None:
        return MISSING
    if event.kind == "delegation.recorded" and (found := DELEGATION_MARKS.get(str(event.facts.get("status")))):
        return Mark(found.glyph, f"agent {found.word}", _QUIET if found.tone == "good" else found.tone)
    return KINDS.get(event.kind) or Mark(UNKNOWN.glyph, plain_words(event.kind), UNKNOWN.tone)


def plain_words(kind: str) -> str:
    """Of a kind that this version does not know: as it is written."""
    return one_line(kind.replace(".", " ").replace("_", " "), 40)


def words_of(kind: str) -> str:
    """What a filter looks at: the words, and the kind as it is on record."""
    mark = KINDS.get(kind)
    return f"{mark.word if mark else plain_words(kind)} {kind}"


# Whose word it was

WHO: Mapping[str, Mark] = {
    PERSON: Mark("◆", "person", "strong"),
    RULE: Mark("○", "rule", "text"),
    TIME_OUT: Mark("‖", "time-out", "ask"),
    AGENT: Mark("●", "agent", "text"),
    ENGINE: Mark("·", "engine", "faint"),
}


def who_cell(who: Who) -> Line:
    """By name where there is one, and a rule as such; the glyph says what it is."""
    mark = WHO[who.provenance]
    name = one_line(who.name.removeprefix("authority: "), 60)
    said = f"{mark.word} {name}".rstrip() if who.provenance == RULE else name or mark.word
    return ((f"{mark.glyph} {said}", mark.tone),)


# What it is about

_NOUNS = {
    "escalation": "question",
    "work_item": "work item",
    "proposal": "proposal",
    "decision": "decision",
    "conflict": "conflict",
    "project": "project",
}


def noun(name: str) -> str:
    return _NOUNS.get(name, name.replace("_", " "))


def about(row: HistoryRow) -> Line:
    """What the event is about, in a line: the record with its title, else the facts of its kind."""
    event = row.event
    say = _ABOUT.get((event.kind or "").partition(".")[0])
    subject = subject_of(event.refs)
    spans: list[Span] = []
    if event.kind is None:
        return ((f"no event {event.seq}", "bad"),)
    if event.work_item is not None:
        spans.append((f"#{event.work_item} ", "accent"))
    if say is not None and (said := one_line(say(event.facts), 160)):
        spans.append((said, "text"))
    elif subject is not None and subject[0] != "work_item":
        spans += [(f"{noun(subject[0])} {subject[1]} ", "dim"), (one_line(row.title, 160), "text")]
    elif row.title:
        spans.append((one_line(row.title, 160), "text"))
    return tuple(spans)


def _delegation(facts: Json) -> str:
    took = facts.get("milliseconds")
    time = span_of_time(took) if isinstance(took, int) else ""
    return _joined(facts.get("phase"), facts.get("subject"), facts.get("runtime"), time)


def _phase(facts: Json) -> str:
    round_ = facts.get("round")
    return _joined(facts.get("phase"), f"round {round_}" if isinstance(round_, int) and round_ > 1 else "")


def _notices(facts: Json) -> str:
    numbers = facts.get("notifications")
    count = len(numbers) if isinstance(numbers, list) else facts.get("queued", "")
    return _joined(facts.get("channel"), f"{count} notice{'' if count == 1 else 's'}" if count != "" else "")


def _schedule(facts: Json) -> str:
    return _joined(facts.get("schedule"), facts.get("why"))


def _authority(facts: Json) -> str:
    return _joined(facts.get("agent"), facts.get("kind"), facts.get("mode"))


def _team(facts: Json) -> str:
    counted = ((key, len(facts[key])) for key in ("added", "changed", "inactive", "back") if _is_some(facts.get(key)))
    return _joined(facts.get("why"), ", ".join(f"{count} {key}" for key, count in counted))


def _inbox(facts: Json) -> str:
    reasons = facts.get("reasons")
    return _joined(facts.get("name"), str(reasons[0]) if isinstance(reasons, list) and reasons else "")


def _setting(facts: Json) -> str:
    return _joined(facts.get("key"))


def _context(facts: Json) -> str:
    keys = facts.get("keys")
    return ", ".join(map(str, keys)) if isinstance(keys, list) else ""


def _is_some(value: Any) -> bool:
    return isinstance(value, list | dict) and bool(value)


def _joined(*parts: Any) -> str:
    return " ".join(str(part) for part in parts if part not in (None, ""))


_ABOUT: Mapping[str, Callable[[Json], str]] = {
    "delegation": _delegation,
    "phase": _phase,
    "notification": _notices,
    "schedule": _schedule,
    "authority": _authority,
    "agents": _team,
    "inbox": _inbox,
    "setting": _setting,
    "context": _context,
}
