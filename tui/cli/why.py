"""`apm audit why`: why something was allowed, told from the journal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from core.contract import Json, UsageError
from core.sanitise import one_line
from tui.cli import options, output

if TYPE_CHECKING:
    from core.governance.why import Subject, Why
    from core.store.audit import Audit

_ID = re.compile(r"(?:(decision|escalation|answer):)?([0-9]{1,18})")


@click.command()
@click.argument("what", metavar="ID")
@options.json_option
@options.pass_place
def why(place: options.Place, what: str, as_json: bool) -> int:
    """Why was this allowed? With the authority as it stood then, and what has changed since.

    ID is a decision's number, as `apm decisions list` shows it; `escalation:12` asks about the answer to a question (a
    permission, a budget, a gate), `answer:3` about that one answer. All of it comes from the journal as of that event,
    none from today's tables. Exit code 1 when the journal is not whole: then it proves nothing.
    """
    from core.governance.why import why as ask
    from core.store.audit import verify

    subject, number = _subject(what)
    with place.open() as workspace:
        store = workspace.store
        audit, found = store.read_now(lambda r: (verify(r, store.key), ask(r, subject, number)))
    if as_json:
        output.emit_json(_shape(found, audit))
    else:
        _show(found, audit)
    return 0 if audit.is_whole else 1


def _subject(what: str) -> tuple[Subject, int]:
    found = _ID.fullmatch(what)
    if found is None:
        raise UsageError(f"{one_line(what, 60)!r} is no ID: give a decision's number, escalation:N or answer:N.")
    subject: Any = found[1] or "decision"
    return subject, int(found[2])


_TIMES = (
    "resolved_at",
    "at",
    "raised_at",
    "last_raised_at",
    "due_at",
    "decided_at",
    "reverted_at",
    "undone_at",
    "window_from",
)
_QUESTION = ("id", "kind", "question", "raised_at", "chain", "work_item", "phase", "options", "recommended", "details")
_ANSWER = ("id", "option", "answer", "reason", "by", "provenance", "at", "payload_digest", "undone_at", "undone_by")
_DECISION = (
    *("id", "agent", "kind", "question", "choice", "recommended", "impact", "tags", "outcome", "work_item", "phase"),
    *("at", "decided_by", "provenance", "cohort", "authority"),
)
_GRANT = ("id", "mode", "by", "reason", "at", "proposal")
_PROPOSAL = (
    *("id", "change", "n", "accepted", "lower_bound", "risk", "recommendation", "decision", "decided_by", "decided_at"),
    *("reason", "review", "cohort"),
)


def _shape(found: Why, audit: Audit) -> Json:
    from tui.cli import shapes

    standing = found.standing
    answer = _part(found.answer, _ANSWER)
    if answer is not None and found.question is not None:
        answer["of_what_was_shown"] = answer["payload_digest"] == found.question.get("payload_digest")
    return {
        "subject": found.subject,
        "id": found.number,
        "verdict": verdict(found),
        "journal": {"whole": audit.is_whole, "events": audit.events},
        "asked": found.asked,
        "allowed": found.allowed,
        "rule": found.rule,
        "rules": found.rules,
        "decision": _part(standing.decision, _DECISION),
        "authority": None
        if standing.decision is None
        else {
            "mode": standing.mode,
            "grant": _part(standing.grant, _GRANT),
            "restored_by": standing.newest["id"] if standing.newest and standing.newest != standing.grant else None,
            "kind": standing.kind,
            "proposal": _part(standing.proposal, _PROPOSAL),
            "review": _part(standing.review, ("id", "at", "window_from", "requested_by")),
        },
        "agent": standing.agent,
        "question": _part(found.question, _QUESTION),
        "answer": answer,
        "conflict": _part(found.conflict, tuple(found.conflict or ())),
        "context": found.context,
        "events": [
            {"seq": s.seq, "at": shapes.moment(s.at), "kind": s.kind, "about": list(s.about)} for s in found.steps
        ],
        "since": [{"seq": c.seq, "at": shapes.moment(c.at), "what": c.what} for c in found.since],
    }


def _part(row: Json | None, names: tuple[str, ...]) -> Json | None:
    from tui.cli import shapes

    if row is None:
        return None
    return {name: shapes.moment(row.get(name)) if name in _TIMES else row.get(name) for name in names}


def verdict(found: Why) -> str:
    """Why it was allowed, in a sentence."""
    decision, answer = found.standing.decision, found.answer
    if answer is not None and not found.overtaken:
        by = {"human": f"{answer['by']} answered", "rule": f"The rule {answer['by']!r} answered"}
        told = by.get(str(answer["provenance"]), "Nobody answered in time: the time-out took")
        undone = "; taken back since" if answer.get("undone_at") else ""
        return f"{told} {answer['option']!r} to escalation {(found.question or {}).get('id')}{undone}."
    if found.allowed is None:
        number = None if found.overtaken else (found.question or {}).get("id")
        return f"Nothing is allowed yet: it waits for {f'escalation {number}' if number else 'a conflict'}."
    if found.conflict is not None:
        ended, number = found.conflict, found.conflict["id"]
        return f"{ended['winner'] or 'Neither side'} won conflict {number}, by {ended['decided_by'] or ended['rule']}."
    if decision is None:
        return "It was settled without an answer."
    grant = found.standing.grant
    if decision["provenance"] != "rule" or grant is None or found.standing.mode != "autonomous":
        return f"{decision['decided_by'] or 'A rule'} decided it ({decision['rule']})."
    given = f"which {grant['by']} granted"
    proposal = found.standing.proposal
    if proposal is not None:
        given = f"which {proposal['decided_by']} granted on scope proposal {proposal['id']}"
    return f"{decision['agent']} decided {decision['kind']} on its own authority, {given} (grant {grant['id']})."


def _show(found: Why, audit: Audit) -> None:
    shape = _shape(found, audit)
    output.say(shape["verdict"])
    output.say()
    decision, authority = shape["decision"] or {}, shape["authority"] or {}
    output.facts(
        (
            ("asked", (shape["question"] or decision).get("question")),
            ("chosen", decision.get("choice")),
            ("rule", shape["rule"]),
            ("came first", _first_rules(shape["rules"])),
            ("authority", _authority(authority)),
            ("granted", _grant(authority.get("grant"))),
            ("scope", _scope(authority.get("proposal"), authority.get("review"))),
            ("agent", _agent(shape["agent"], decision)),
            ("answered", _answer(shape["answer"])),
            ("conflict", _conflict(shape["conflict"])),
            ("context", "\n".join(output.outline(shape["context"]))),
        )
    )
    output.say()
    output.table(
        ("event", "at", "kind", "about"), [(e["seq"], e["at"], e["kind"], e["about"]) for e in shape["events"]]
    )
    output.say()
    for change in shape["since"]:
        output.say(f"since then, event {change['seq']} at {change['at']}: {change['what']}")
    if not shape["since"]:
        output.say("Nothing that it rests on has changed since.")
    if audit.is_whole:
        output.say(f"✓ whole  the journal of {audit.events} events that tells this")
    else:
        output.say("✗ broken  the journal is not whole, so this proves nothing; `apm audit verify` says where.")


def _first_rules(rules: Json) -> list[str]:
    first = rules.get("escalate_first", ())
    return [f"{rule['id']} (above {rule['value']})" if rule.get("value") else rule["id"] for rule in first]


def _authority(authority: Json) -> str:
    kind = authority.get("kind") or {}
    if not authority:
        return ""
    limits = [] if kind else ["no list names the kind"]
    limits += [f"ceiling {kind['ceiling']}"] if kind.get("ceiling") else []
    limits += ["cannot be undone"] if kind and not kind.get("reversible") else []
    return " ".join([str(authority["mode"]), *(f"({limit})" for limit in limits)])


def _grant(grant: Json | None) -> str:
    return (
        ""
        if grant is None
        else f"{grant['mode']} by {grant['by']} at {grant['at']} (grant {grant['id']}): {grant['reason']}"
    )


def _scope(proposal: Json | None, review: Json | None) -> str:
    if proposal is None:
        return ""
    bound = proposal["lower_bound"]
    record = f"{proposal['accepted']} of {proposal['n']} accepted"
    record += f", lower bound {bound:.2f}" if isinstance(bound, float) else ""
    of = f" of review {review['id']} ({review['at']}, asked for by {review['requested_by']})" if review else ""
    word = f"{proposal['decision']} by {proposal['decided_by']}: {proposal['reason']}"
    return f"proposal {proposal['id']}{of}: {record}; {word}"


def _agent(agent: Json | None, decision: Json) -> str:
    if agent is None:
        return ""
    model = f", model {agent['model']}" if agent["model"] else ""
    marks = f"SOP {str(agent['sop_digest'])[:12]}, cohort {decision['cohort'][:12]}"
    return f"{agent['role']} on {agent['runtime']}{model}, {marks}"


def _conflict(conflict: Json | None) -> str:
    if conflict is None:
        return ""
    return f"{conflict['id']}, {conflict['first']} and {conflict['second']}: {conflict['topic']} ({conflict['rule']})"


def _answer(answer: Json | None) -> str:
    if answer is None:
        return ""
    shown = "" if answer.get("of_what_was_shown") else " to another text than the one on record"
    return f"{answer['option']} by {answer['by']} ({answer['provenance']}) at {answer['at']}{shown}: {answer['reason']}"
