"""`apm scope`: what domain agents suggest about their authority, on what record, and a person's word on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.contract import UsageError
from tui.cli import options, output, scope_text

if TYPE_CHECKING:
    from core.governance.scope.effects import Effects
    from core.store.rows_governance import ScopeProposalRow
    from core.store.transaction import Transaction
    from core.workspace import Workspace

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
        output.emit_json(scope_text.package_shape(found))
    else:
        scope_text.say_package(found)


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
        output.emit_json([scope_text.line_shape(row) for row in found])
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
                scope_text.two(row.lower_bound),
                scope_text.hours(row),
                row.risk,
                row.recommendation,
                status(row),
            )
            for row in found
        ],
    )


@scope.command()
@options.number_argument
@options.json_option
@options.pass_place
def show(place: options.Place, number: int, as_json: bool) -> None:
    """One proposal: what would change, the record, the analyses, and what was counted."""
    with place.open() as workspace:
        row = _read(workspace, number)
    if as_json:
        output.emit_json(scope_text.shape(row))
    else:
        scope_text.say_proposal(row, in_full=True)


@scope.command()
@click.option("--agent", required=True, metavar="A", help="One of technical, strategy, ux and gtm.")
@click.option("--kind", required=True, metavar="K", help="A kind that its lists name; `apm agents show A` has them.")
@click.option("--to", required=True, type=click.Choice(["autonomous", "escalate"]), help="What it shall become.")
@_needed
@options.by_option
@options.json_option
@options.pass_place
def propose(place: options.Place, agent: str, kind: str, to: str, reason: str, by: str, as_json: bool) -> None:
    """Ask for a change of authority. It becomes a proposal with its record, and waits for approval as any other."""
    from core.governance.scope import asking

    with place.open() as workspace:
        mode: Any = to
        number = workspace.store.write_now(lambda tx: asking.propose(tx, agent, kind, mode, by=by, reason=reason))
        row = _read(workspace, number)
    if as_json:
        output.emit_json(scope_text.shape(row))
    else:
        scope_text.say_proposal(row)
        output.say(f"\napm scope approve {number} | reject {number} --reason TEXT | clarify {number} --reason TEXT")


@scope.command()
@options.number_argument
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
@options.number_argument
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
@options.number_argument
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
@options.number_argument
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
        output.emit_json({**scope_text.shape(row), "generated": effects.to_json()})
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
