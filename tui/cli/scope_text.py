"""Scope proposals and reviews in words for `apm scope`, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.contract import Json
from core.sanitise import one_line
from tui.cli import output

if TYPE_CHECKING:
    from core.governance.scope.review import Package
    from core.governance.scope.wishes import TakenUp
    from core.store.rows_governance import ScopeProposalRow


def line_shape(row: ScopeProposalRow) -> Json:
    """A row of `scope list`."""
    from core.governance.scope.proposing import status

    return {
        "id": row.id,
        "agent": row.agent,
        "kind": row.kind,
        "change": row.change,
        "n": row.n,
        "accepted": row.accepted,
        "lower_bound": row.lower_bound,
        "hours_saved_per_week": row.hours_saved_per_week,
        "risk": row.risk,
        "recommendation": row.recommendation,
        "status": status(row),
        "review": row.review,
        "digest": row.payload_digest,
    }


def shape(row: ScopeProposalRow) -> Json:
    """`scope show`."""
    from tui.cli import shapes

    return {
        **line_shape(row),
        "at": shapes.moment(row.at),
        "analysis": row.analysis,
        "clarification": row.clarification,
        "decided_at": shapes.moment(row.decided_at),
        "decided_by": row.decided_by,
        "reason": row.reason,
        "cool_down_until": shapes.moment(row.cool_down_until),
        "undone_at": shapes.moment(row.undone_at),
        "undone_by": row.undone_by,
    }


def package_shape(found: Package) -> Json:
    """`scope review`."""
    from tui.cli import shapes

    return {
        "review": found.review.id,
        "at": shapes.moment(found.review.at),
        "window": {"from": shapes.moment(found.review.window_from), "to": shapes.moment(found.review.at)},
        "requested_by": found.review.requested_by,
        "sections": [{"title": s.title, "proposals": [shape(row) for row in s.proposals]} for s in found.sections],
        "weekly": [{"id": w.id, "question": w.question, "raised_at": shapes.moment(w.raised_at)} for w in found.weekly],
        "weekly_count": found.weekly_count,
        "wishes": [_wish(one) for one in found.wishes],
        "dropped": list(found.dropped),
    }


def _wish(found: TakenUp) -> Json:
    from tui.cli import shapes

    return {**found.to_json(), "at": shapes.moment(found.at), "lower_bound": found.bound}


def _became(found: TakenUp) -> str:
    told = f"proposal {found.proposal}" if found.proposal is not None else "not proposed"
    return f"{told}; {'; '.join(found.missing)}" if found.missing else told


def say_package(found: Package) -> None:
    from tui.cli import shapes

    since, until = (str(shapes.moment(at))[:10] for at in (found.review.window_from, found.review.at))
    output.say(f"Scope review {found.review.id}, {since} to {until}, asked for by {found.review.requested_by}")
    if not found.proposals:
        output.say("\nNothing is proposed: no record carries a change, and nothing holds work up.")
    for section in found.sections:
        output.say(f"\n{section.title}")
        for row in section.proposals:
            output.say()
            say_proposal(row)
    if found.weekly_count:
        output.say(f"\nQuestions that waited for this review ({found.weekly_count})")
        for asked in found.weekly:
            output.say(f"  #{asked.id} {asked.question}")
    if found.wishes:
        output.say("\nRules that were wished for")
        for one in found.wishes:
            output.say(f"  {one.agent}.{one.kind}, by {one_line(one.by, 60)}: {_became(one)}")
    for gone in found.dropped:
        output.say(f"\nProposal {gone['proposal']} is put aside: {gone['why']}.")
    if found.proposals:
        output.say("\napm scope approve ID | reject ID --reason TEXT | clarify ID --reason TEXT")


def say_proposal(row: ScopeProposalRow, *, in_full: bool = False) -> None:
    from core.governance.scope.proposing import status

    told = row.analysis
    output.say(f"{row.id}  {told.get('would', '')}")
    output.facts(
        (
            ("    record", told.get("because")),
            ("    hours", told.get("efficiency", {}).get("text")),
            (
                "    risk" if row.change != "contraction" else "    risk as it is",
                f"{row.risk}: {'; '.join(told.get('risk_because', ()))}",
            ),
            ("    overlap", told.get("conflict", {}).get("text")),
            ("    alignment", told.get("alignment", {}).get("text")),
            ("    recommended", f"{row.recommendation}: {told.get('reason', '')}"),
            ("    asked for", _asked_for(told.get("asked_for"))),
            ("    asked", _asked(told.get("asked"))),
            ("    status", None if status(row) == "proposed" else _status(row)),
        )
    )
    if in_full:
        _show_counted(told)


def _asked_for(asked_for: Json | None) -> str | None:
    return None if asked_for is None else f"by {asked_for['by']}: {asked_for['reason']}"


def _asked(asked: Json | None) -> str | None:
    if asked is None:
        return None
    return f"{asked['question']} (of proposal {asked['proposal']}, then {asked['accepted']} of {asked['n']})"


def _status(row: ScopeProposalRow) -> str:
    from core.governance.scope.proposing import status
    from tui.cli import shapes

    words: list[str | None] = [status(row)]
    if row.clarification and row.decided_at is None:
        words.append(f"asked: {row.clarification}")
    if row.decided_at is not None:
        words += [f"by {row.decided_by} at {shapes.moment(row.decided_at)}", row.reason]
    if row.undone_at is not None:
        words.append(f"taken back by {row.undone_by} at {shapes.moment(row.undone_at)}")
    if row.cool_down_until is not None:
        words.append(f"not proposed again before {shapes.moment(row.cool_down_until)}")
    return "; ".join(one_line(word, 500) for word in words if word)


def _show_counted(told: Json) -> None:
    """What was counted, by number, so that it can be counted again."""
    record, load = told.get("record", {}), told.get("load", {})
    output.say()
    output.facts(
        (
            ("    accepted", _numbers(record.get("accepted"))),
            ("    not accepted", _numbers(record.get("declined"))),
            ("    asked in the window", _numbers(load.get("escalations"))),
            ("    taken back", _numbers(told.get("reversals"))),
            ("    conflicts", _numbers(told.get("conflicts"))),
        )
    )


def _numbers(found: Any) -> str | None:
    return " ".join(f"#{number}" for number in found) if found else None


def two(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def hours(row: ScopeProposalRow) -> str:
    if row.hours_saved_per_week is not None:
        return f"{row.hours_saved_per_week:.2f}"
    return "not measured" if row.change in ("expansion", "contraction") else "none"
