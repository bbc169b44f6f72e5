"""`apm conflict`: two domain agents that want different things; the rules settle it, or a person does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from core.sanitise import one_line
from tui.cli import options, output, shapes

if TYPE_CHECKING:
    from core.store.rows_governance import ConflictRow

USUAL_IMPACT = 5


@click.group()
def conflict() -> None:
    """Two domain agents that want different things."""


@conflict.command("raise")
@click.option("--between", required=True, nargs=2, metavar="A B", help="Two of technical, strategy, ux and gtm.")
@click.option("--topic", required=True, metavar="TEXT", help="What they differ on; its words decide which rule holds.")
@click.option("--impact", type=click.IntRange(1, 10), default=USUAL_IMPACT, show_default=True, metavar="N")
@click.option("--tag", "tags", multiple=True, metavar="T", help="May be given more than once.")
@click.option("--position", "positions", multiple=True, metavar="A=TEXT", help="What one of the two wants; repeatable.")
@options.json_option
@options.pass_place
def raise_(
    place: options.Place,
    between: tuple[str, str],
    topic: str,
    impact: int,
    tags: Sequence[str],
    positions: Sequence[str],
    as_json: bool,
) -> int:
    """Settle a conflict by the rules in agents.yaml; what they do not settle waits for a human (exit code 3)."""
    from core.governance.conflicts import ConflictRules, Dispute, raise_conflict, to_json

    dispute = Dispute(
        between=between,
        topic=_said(topic, "--topic"),
        impact=impact,
        tags=tuple(one_line(t, 64) for t in tags),
        positions=_positions(positions, between),
    )
    with place.open() as workspace:
        rules = ConflictRules.of_sections(workspace.sections)
        made = workspace.store.write_now(lambda tx: raise_conflict(tx, dispute, rules))
    if as_json:
        output.emit_json(to_json(made))
    elif made.winner is not None:
        output.say(f"{made.winner} prevails ({made.rule}).")
    else:
        output.say(f"Escalation {made.escalation} waits for a human, {made.urgency} ({made.rule}).")
    return 0 if made.outcome == "resolved" else 3


def _positions(given: Sequence[str], between: tuple[str, str]) -> dict[str, str]:
    found = {}
    for entry in given:
        agent, sign, position = entry.partition("=")
        if not sign or agent not in between:
            raise UsageError(f"--position {entry!r}: write {between[0]}=TEXT or {between[1]}=TEXT.")
        found[agent] = _said(position, "--position")
    return found


def _said(text: str, what: str) -> str:
    """On one line, never cut. Raises UsageError, with its size, for more than a conflict keeps."""
    from core.governance.conflicts import MOST_TOPIC

    line = one_line(text, len(text))
    if len(line) > MOST_TOPIC:
        raise UsageError(f"{what} has {len(line):,} characters; at most {MOST_TOPIC} are taken.")
    return line


@conflict.command("list")
@click.option("--work-item", type=options.NUMBER, metavar="ID", help="Only conflicts about this work item.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, metavar="N")
@options.json_option
@options.pass_place
def list_(place: options.Place, work_item: int | None, limit: int, as_json: bool) -> None:
    """Conflicts and how they ended, the newest first."""
    from core.store import reads_governance

    with place.open() as workspace:
        found = workspace.store.read_now(lambda r: reads_governance.conflicts(r, work_item=work_item, limit=limit))
    if as_json:
        output.emit_json([shape(row) for row in found])
        return
    output.table(
        ("id", "between", "topic", "item", "winner", "by", "escalation"),
        [
            (
                c.id,
                f"{c.first}, {c.second}",
                c.topic,
                c.work_item,
                c.winner or ("neither" if c.resolved_at else "waits"),
                c.decided_by,
                c.escalation,
            )
            for c in found
        ],
    )


def shape(row: ConflictRow) -> Json:
    return {
        "id": row.id,
        "between": [row.first, row.second],
        "topic": row.topic,
        "positions": row.positions,
        "impact": row.impact,
        "tags": row.tags,
        "outcome": row.outcome,
        "winner": row.winner,
        "rule": row.rule,
        "urgency": row.urgency,
        "escalation": row.escalation,
        "work_item": row.work_item,
        "phase": row.phase,
        "provenance": row.provenance,
        "decided_by": row.decided_by,
        "at": shapes.moment(row.at),
        "resolved_at": shapes.moment(row.resolved_at),
    }
