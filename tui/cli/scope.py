"""`apm scope`: what domain agents suggest about their authority, on what record, and a person's word on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.contract import Json, UsageError
from core.sanitise import one_line
from tui.cli import options, output

if TYPE_CHECKING:
    from core.governance.scope.effects import Effects
    from core.governance.scope.review import Package
    from core.store.rows_governance import ScopeProposalRow
    from core.store.writer import Transaction
    from core.workspace import Workspace

_number = click.argument("number", metavar="ID", type=options.NUMBER)
_needed = click.option("--reason", required=True, metavar="TEXT", help="Why; it stays on the record.")
_digest = click.option("--digest", metavar="SHA256", help="Of what you were shown; another one is refused.")


@click.group()
def scope() -> None:
    """Authority that grows on the record, and only when a person agrees."""


@scope.command()
@click.option("--show", is_flag=True, help="Hold none; show the newest one.")
@options.by_option
@options.json_option
@options.pass_place
def review(place: options.Place, show: bool, by: str, as_json: bool) -> None:
    """Hold a scope review now, and show its package: what is proposed, on what record. It changes no authority."""
    from core.governance.scope import review as reviews

    with place.open() as workspace:
        if not show:
            workspace.store.write_now(lambda tx: reviews.review(tx, by=by))
        found = workspace.store.read_now(reviews.package)
    if found is None:
        raise UsageError("There is no scope review yet; `apm scope review` holds one.")
    if as_json:
        output.emit_json(_package(found))
    else:
        _show_package(found)


@scope.command("list")
@click.option("--all", "everything", is_flag=True, help="Decided and replaced ones too.")
@options.json_option
@options.pass_place
def list_(place: options.Place, everything: bool, as_json: bool) -> None:
    """The proposals that wait for a person, the newest first."""
    from core.governance.scope.proposing import status
    from core.store import reads_governance

    with place.open() as workspace:
        found = workspace.store.read_now(
            lambda r: reads_governance.scope_proposals(r, undecided_only=not everything, limit=10_000)
        )
    if as_json:
        output.emit_json([_line(row) for row in found])
        return
    output.table(
        ("id", "agent", "kind", "change", "record", "bound", "hours/week", "risk", "recommended", "status"),
        [
            (
                row.id,
                row.agent,
                row.kind,
                row.change,
                f"{row.accepted} of {row.n}" if row.n else None,
                _two(row.lower_bound),
                _hours(row),
                row.risk,
                row.recommendation,
                status(row),
            )
            for row in found
        ],
    )


@scope.command()
@_number
@options.json_option
@options.pass_place
def show(place: options.Place, number: int, as_json: bool) -> None:
    """One proposal: what would change, the record, the analyses, and what was counted."""
    with place.open() as workspace:
        row = _read(workspace, number)
    if as_json:
        output.emit_json(_proposal(row))
    else:
        _show(row, in_full=True)


@scope.command()
@_number
@click.option("--reason", default="", metavar="TEXT", help="Why; needed where it is not what is recommended.")
@_digest
@options.by_option
@options.json_option
@options.pass_place
def approve(place: options.Place, number: int, reason: str, digest: str | None, by: str, as_json: bool) -> None:
    """Put the proposed authority in force at once, in the database and in generated files."""
    from core.governance.scope import deciding

    def write(tx: Transaction) -> ScopeProposalRow:
        return deciding.approve(tx, number, by=by, reason=reason, shown_digest=digest)

    _decide(place, number, write, as_json)


@scope.command()
@_number
@_needed
@_digest
@options.by_option
@options.json_option
@options.pass_place
def reject(place: options.Place, number: int, reason: str, digest: str | None, by: str, as_json: bool) -> None:
    """Leave things as they are; the same is not proposed again for four weeks."""
    from core.governance.scope import deciding

    def write(tx: Transaction) -> ScopeProposalRow:
        return deciding.reject(tx, number, by=by, reason=reason, shown_digest=digest)

    _decide(place, number, write, as_json)


@scope.command()
@_number
@click.option("--reason", required=True, metavar="TEXT", help="What you want to know.")
@_digest
@options.by_option
@options.json_option
@options.pass_place
def clarify(place: options.Place, number: int, reason: str, digest: str | None, by: str, as_json: bool) -> None:
    """Ask before you decide; the next review answers with fresh figures."""
    from core.governance.scope import deciding

    def write(tx: Transaction) -> ScopeProposalRow:
        return deciding.clarify(tx, number, by=by, reason=reason, shown_digest=digest)

    _decide(place, number, write, as_json)


@scope.command()
@_number
@_needed
@options.by_option
@options.json_option
@options.pass_place
def undo(place: options.Place, number: int, reason: str, by: str, as_json: bool) -> None:
    """Take an approval or a rejection back; an approval's authority goes back to what it was."""
    from core.governance.scope import deciding

    def write(tx: Transaction) -> ScopeProposalRow:
        return deciding.undo(tx, number, by=by, reason=reason)

    _decide(place, number, write, as_json)


def _decide(place: options.Place, number: int, work: Callable[[Transaction], ScopeProposalRow], as_json: bool) -> None:
    from core.governance.authority import granted
    from core.governance.scope.effects import Effects, renew

    with place.open() as workspace:
        store = workspace.store
        before = _read(workspace, number)
        old = store.read_now(lambda r: granted(r, before.agent, before.kind))
        store.write_now(work)
        row = _read(workspace, number)
        new = store.read_now(lambda r: granted(r, row.agent, row.kind))
        effects = Effects() if new == old else renew(store, workspace.folder, [row.agent])
    if as_json:
        output.emit_json({**_proposal(row), "generated": effects.to_json()})
        return
    output.say(_done(row))
    if new is not None and new != old:
        output.say(f"{row.agent}.{row.kind} is {new.mode} from now on.")
    _show_effects(effects)


def _done(row: ScopeProposalRow) -> str:
    from core.governance.scope.proposing import status

    who = {"undone": row.undone_by, "clarify": None}.get(status(row), row.decided_by)
    said = {
        "clarify": "waits with your question; the next scope review answers it with fresh figures.",
        "undone": f"is taken back by {who}.",
    }
    what = said.get(status(row), f"is {status(row)} by {who}.")
    return f"Scope proposal {row.id} ({row.change} of {row.kind} for {row.agent}) {what}"


def _show_effects(effects: Effects) -> None:
    for path in effects.written:
        output.say(f"made anew: {path}")
    for path in effects.refused:
        output.note(f"{path} was kept: its text is not apm's. `apm agents generate --force` writes over it.")
    for fault in effects.faults:
        output.note(f"apm: a generated file could not be made anew: {fault}")


def _read(workspace: Workspace, number: int) -> ScopeProposalRow:
    from core.store import reads_governance

    row = workspace.store.read_now(lambda r: reads_governance.scope_proposal(r, number))
    if row is None:
        raise UsageError(f"There is no scope proposal {number}; `apm scope list` shows the undecided ones.")
    return row


def _line(row: ScopeProposalRow) -> Json:
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


def _proposal(row: ScopeProposalRow) -> Json:
    """`scope show`."""
    from tui.cli import shapes

    return {
        **_line(row),
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


def _package(found: Package) -> Json:
    """`scope review`."""
    from tui.cli import shapes

    return {
        "review": found.review.id,
        "at": shapes.moment(found.review.at),
        "window": {"from": shapes.moment(found.review.window_from), "to": shapes.moment(found.review.at)},
        "requested_by": found.review.requested_by,
        "sections": [{"title": s.title, "proposals": [_proposal(row) for row in s.proposals]} for s in found.sections],
        "weekly": [{"id": w.id, "question": w.question, "raised_at": shapes.moment(w.raised_at)} for w in found.weekly],
        "weekly_count": found.weekly_count,
        "dropped": list(found.dropped),
    }


def _show_package(found: Package) -> None:
    from tui.cli import shapes

    since, until = (str(shapes.moment(at))[:10] for at in (found.review.window_from, found.review.at))
    output.say(f"Scope review {found.review.id}, {since} to {until}, asked for by {found.review.requested_by}")
    if not found.proposals:
        output.say("\nNothing is proposed: no record carries a change, and nothing holds work up.")
    for section in found.sections:
        output.say(f"\n{section.title}")
        for row in section.proposals:
            output.say()
            _show(row)
    if found.weekly_count:
        output.say(f"\nQuestions that waited for this review ({found.weekly_count})")
        for asked in found.weekly:
            output.say(f"  #{asked.id} {asked.question}")
    for gone in found.dropped:
        output.say(f"\nProposal {gone['proposal']} is put aside: {gone['why']}.")
    if found.proposals:
        output.say("\napm scope approve ID | reject ID --reason TEXT | clarify ID --reason TEXT")


def _show(row: ScopeProposalRow, *, in_full: bool = False) -> None:
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
            ("    asked", _asked(told.get("asked"))),
            ("    status", None if status(row) == "proposed" else _status(row)),
        )
    )
    if in_full:
        _show_counted(told)


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


def _two(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _hours(row: ScopeProposalRow) -> str:
    if row.hours_saved_per_week is not None:
        return f"{row.hours_saved_per_week:.2f}"
    return "not measured" if row.change in ("expansion", "contraction") else "none"
