"""What happened besides the daily round, told from the product's journal: a line for each event that is worth one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from core.contract import Json
from core.store import reads, reads_governance
from core.store.reads import Connection
from tests.month.report import Told

Say = Callable[[Connection, Json], str]


def chronicle(reader: Connection) -> tuple[Told, ...]:
    marks = ", ".join("?" for _ in _SAYS)
    query = f"SELECT at, kind, payload FROM events WHERE kind IN ({marks}) ORDER BY seq"
    found = []
    for moment, kind, payload in reader.sql(query, tuple(_SAYS)):
        text = _SAYS[kind](reader, json.loads(payload))
        if text:
            found.append(Told(int(moment), text))
    return tuple(found)


def _question(reader: Connection, facts: Json) -> str:
    row = reads.escalation(reader, facts["escalation"])
    assert row is not None
    return f"“{row.question}”"


def _acknowledged(reader: Connection, facts: Json) -> str:
    return f"{facts['by']} has seen {_question(reader, facts)}"


def _snoozed(reader: Connection, facts: Json) -> str:
    return f"{facts['by']} puts {_question(reader, facts)} off"


def _assigned(reader: Connection, facts: Json) -> str:
    row = reads.escalation(reader, facts["escalation"])
    assert row is not None
    return f"{facts['by']} hands {_question(reader, facts)} to {row.assigned_to}"


def _merged(reader: Connection, facts: Json) -> str:
    return f"two questions become one: {_question(reader, facts)} waits with the other"


def _breached(reader: Connection, facts: Json) -> str:
    row = reads.escalation(reader, facts["escalation"])
    assert row is not None
    return f"nobody has answered {_question(reader, facts)} in time: it is {facts['to']}"


def _reminded(reader: Connection, facts: Json) -> str:
    row = reads.escalation(reader, facts["escalation"])
    assert row is not None
    is_first = facts["number"] == 1 and row.breaches == 0
    return f"nobody has answered {_question(reader, facts)} within the hour: a reminder" if is_first else ""


def _undone(reader: Connection, facts: Json) -> str:
    return f"{facts['by']} takes the answer to {_question(reader, facts)} back"


def _expired(reader: Connection, facts: Json) -> str:
    return f"{_question(reader, facts)} expires, and nobody has decided it"


def _timed_out(reader: Connection, facts: Json) -> str:
    if facts["provenance"] != "timeout":
        return ""
    return f"nobody has answered {_question(reader, facts)}: the time-out gives the answer that was said beforehand"


def _late(reader: Connection, facts: Json) -> str:
    return f"{facts['by']} answers {_question(reader, facts)} too late; the answer is kept as late"


def _reversed(reader: Connection, facts: Json) -> str:
    row = reads_governance.decision(reader, facts["decision"])
    assert row is not None
    return f"{facts['by']} takes {row.agent}'s decision on “{row.question}” back: {row.revert_reason}"


def _proposal(reader: Connection, facts: Json) -> str:
    row = reads_governance.scope_proposal(reader, facts["proposal"])
    assert row is not None
    return f"the {row.change} of {row.agent}.{row.kind}"


def _proposed(reader: Connection, facts: Json) -> str:
    return f"{_proposal(reader, facts)} is proposed at once"


def _said(verb: str, reason: str) -> Say:
    return lambda reader, facts: f"{facts['by']} {verb} {_proposal(reader, facts)}: {facts[reason]}"


def _granted(reader: Connection, facts: Json) -> str:
    return f"{facts['agent']}.{facts['kind']} is {facts['mode']} from now on"


def _conflict(reader: Connection, facts: Json) -> str:
    row = reads_governance.conflict(reader, facts["conflict"])
    assert row is not None
    how = f"{row.rule}: {row.winner} wins" if row.outcome == "resolved" else f"{row.rule}: a person is asked"
    return f"{row.first} and {row.second} differ on “{row.topic}”; {how}"


def _settled(reader: Connection, facts: Json) -> str:
    row = reads_governance.conflict(reader, facts["conflict"])
    assert row is not None
    return f"{facts['by']} settles “{row.topic}”: {row.winner or 'neither'} wins"


def _imported(reader: Connection, facts: Json) -> str:
    changed = [role for role, keys in facts.get("changed", {}).items() if "sop" in keys or "sop_content" in keys]
    return f"the SOP of {', '.join(changed)} is another one: its record starts anew" if changed else ""


_SAYS: Mapping[str, Say] = {
    "agents.imported": _imported,
    "authority.granted": _granted,
    "conflict.escalated": _conflict,
    "conflict.resolved": _conflict,
    "conflict.settled": _settled,
    "decision.reversed": _reversed,
    "escalation.acknowledged": _acknowledged,
    "escalation.answered_late": _late,
    "escalation.assigned": _assigned,
    "escalation.escalated": _breached,
    "escalation.expired": _expired,
    "escalation.merged": _merged,
    "escalation.reminded": _reminded,
    "escalation.resolved": _timed_out,
    "escalation.snoozed": _snoozed,
    "escalation.undone": _undone,
    "scope.approved": _said("approves", "reason"),
    "scope.clarified": _said("asks about", "question"),
    "scope.proposed": _proposed,
    "scope.rejected": _said("rejects", "reason"),
}
"""The events that are told, and how."""
