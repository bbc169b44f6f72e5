"""`apm decisions`: what was decided by whom, taking a decision back, and decisions handed in as one JSON document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from tui.cli import options, output

if TYPE_CHECKING:
    from core.governance.human_decisions import Applied
    from core.governance.scope.effects import Effects
    from core.store import rows
    from core.store.reads import Connection

USUAL_LIMIT = 50


@click.group()
def decisions() -> None:
    """Decisions: who made which, and by what right."""


@decisions.command()
@click.argument("file", metavar="FILE|-")
@click.option("--check", "is_check", is_flag=True, help="Only say what it would do; nothing is changed.")
@options.json_option
@options.pass_place
def apply(place: options.Place, file: str, is_check: bool, as_json: bool) -> None:
    """Apply a document of human decisions: all of it, or nothing (exit code 2).

    A file in the workspace's `state/inbox/` is applied in the same way while `apm` drives.
    """
    from core.governance import human_decisions
    from core.governance.decision_documents import DecisionsRejected
    from core.governance.scope.effects import Effects, renew

    text = options.read_text(file, "FILE")
    source = "standard input" if file == "-" else Path(file).name
    effects = Effects()
    try:
        document = human_decisions.parse(text)
        with place.open() as workspace:
            if is_check:
                applied = human_decisions.rehearse(workspace.store, document, source=source)
            else:
                applied = workspace.store.write_now(lambda tx: human_decisions.apply(tx, document, source=source))
            if applied.agents and not is_check:
                effects = renew(workspace.store, workspace.folder, applied.agents)
    except DecisionsRejected as error:
        if as_json:
            problems = [{"index": problem.index, "text": problem.told()} for problem in error.problems]
            output.emit_json({"error": str(error), "problems": problems})
        raise UsageError(f"nothing was applied.\n{error}") from None
    if as_json:
        output.emit_json(_applied(applied, effects, is_check))
    else:
        _show_applied(applied, effects, is_check)


def _show_applied(applied: Applied, effects: Effects, is_check: bool) -> None:
    for line in applied.lines:
        output.say(line)
    for path in effects.written:
        output.say(f"made anew: {path}")
    for path in effects.refused:
        output.note(f"{path} was kept: its text is not apm's. `apm agents generate --force` writes over it.")
    for fault in effects.faults:
        output.note(f"apm: a generated file could not be made anew: {fault}")
    count = len(applied.lines)
    what = f"{count} decision{'' if count == 1 else 's'} of {applied.decided_by}"
    output.say(f"{what}: nothing is in the way, and nothing was changed." if is_check else f"{what} applied.")


@decisions.command("list")
@click.option("--work-item", type=options.NUMBER, metavar="ID", help="Only decisions about this work item.")
@click.option("--agent", metavar="A", help="Only decisions of this domain agent.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=USUAL_LIMIT, show_default=True, metavar="N")
@options.json_option
@options.pass_place
def list_(place: options.Place, work_item: int | None, agent: str | None, limit: int, as_json: bool) -> None:
    """Decisions, the newest first."""
    from core.governance.decision_reads import newest_decisions

    with place.open() as workspace:
        found = workspace.store.read_now(lambda r: newest_decisions(r, work_item=work_item, agent=agent, limit=limit))
    if as_json:
        output.emit_json([_shape(row) for row in found])
        return
    output.table(
        ("id", "at", "agent", "kind", "impact", "choice", "by", "item", "question"),
        [
            (s["id"], s["at"], s["agent"], s["kind"], s["impact"], _standing(s), s["by"], s["work_item"], s["question"])
            for s in map(_shape, found)
        ],
    )


@decisions.command()
@options.number_argument
@options.json_option
@options.pass_place
def show(place: options.Place, number: int, as_json: bool) -> None:
    """One decision: what was chosen among what, by whom, by which rule."""
    with place.open() as workspace:
        shown = workspace.store.read_now(lambda r: _read(r, number))
    if as_json:
        output.emit_json(shown)
    else:
        _show(shown)


@decisions.command()
@options.number_argument
@click.option("--reason", required=True, help="Why it is taken back.")
@click.option("--choice", metavar="KEY", help="What is chosen instead; `show` lists the options.")
@options.by_option
@options.json_option
@options.pass_place
def reverse(place: options.Place, number: int, reason: str, choice: str | None, by: str, as_json: bool) -> None:
    """Take back a decision that an agent or a rule made, or an answer that work has gone on from.

    It stays on the record, and counts against its maker. A reversal is taken back the same way: then what it took back
    holds again, and what it proposed about an authority is withdrawn.
    """
    from core.governance import reversal

    with place.open() as workspace:
        made = workspace.store.write_now(lambda tx: reversal.reverse(tx, number, by=by, reason=reason, choice=choice))
        shown = workspace.store.read_now(lambda r: _read(r, made.decision))
    if as_json:
        output.emit_json(shown | {"withdrawn": list(made.withdrawn)})
        return
    if made.decision < number:
        output.say(f"Decision {number} is taken back: decision {made.decision} holds again.")
    else:
        instead = f": {shown['choice']} instead of it" if shown["choice"] else ""
        output.say(f"Decision {number} is taken back by decision {made.decision}{instead}.")
    for proposal in made.withdrawn:
        output.say(f"Scope proposal {proposal}, which it had led to, is withdrawn.")


def _read(reader: Connection, number: int) -> Json:
    from core.store import reads_governance

    row = reads_governance.decision(reader, number)
    if row is None:
        raise UsageError(f"There is no decision {number}; `apm decisions list` shows the newest ones.")
    return _shape(row)


def _shape(row: rows.DecisionRow) -> Json:
    """A row of `decisions list`, and `decisions show`."""
    from tui.cli import shapes

    return {
        **shapes.decision_line(row),
        "at": shapes.moment(row.at),
        "work_item": row.work_item,
        "topic": row.topic,
        "tags": row.tags,
        "options": row.options,
        "recommended": row.recommended,
        "context": row.context,
        "by": row.decided_by,
        "reason": row.reason,
        "decided_at": shapes.moment(row.decided_at),
        "authority": row.authority,
        "conflict": row.conflict,
        "reverses": row.reverses,
        "reversed": _reversed(row),
    }


def _reversed(row: rows.DecisionRow) -> Json | None:
    from tui.cli import shapes

    if row.reverted_at is None:
        return None
    return {"at": shapes.moment(row.reverted_at), "by": row.reverted_by, "reason": row.revert_reason}


def _applied(applied: Applied, effects: Effects, is_check: bool) -> Json:
    """`decisions apply`. `checked` is true where nothing was changed."""
    return {
        "source": applied.source,
        "decided_by": applied.decided_by,
        "checked": is_check,
        "entries": [{"index": index, "done": line} for index, line in enumerate(applied.lines)],
        "generated": effects.to_json(),
    }


def _standing(shown: Json) -> str:
    if shown["reversed"]:
        return f"{shown['choice']} (taken back)"
    if shown["decided_at"]:
        return str(shown["choice"] or "none of the options")
    return f"waits for escalation {shown['escalation']}"


def _show(shown: Json) -> None:
    output.say(shown["question"])
    output.say()
    undone = shown["reversed"]
    provenance = f"({shown['provenance']})" if shown["provenance"] else ""
    output.facts(
        (
            ("agent", shown["agent"]),
            ("kind", shown["kind"]),
            ("impact", shown["impact"]),
            ("choice", _standing(shown)),
            ("decided by", " ".join(word for word in (shown["by"], provenance) if word)),
            ("rule", shown["rule"]),
            ("reason", shown["reason"]),
            ("asked", shown["at"]),
            ("decided", shown["decided_at"]),
            ("about", shown["topic"]),
            ("tags", shown["tags"]),
            ("work item", f"{shown['work_item']} in {shown['phase']}" if shown["phase"] else shown["work_item"]),
            ("escalation", shown["escalation"]),
            ("conflict", shown["conflict"]),
            ("takes back", shown["reverses"]),
            ("taken back", undone and f"by {undone['by']} at {undone['at']}: {undone['reason']}"),
        )
    )
    for option in shown["options"]:
        best = " (recommended)" if option.get("key") == shown["recommended"] else ""
        told = f"{option.get('label', '')}. {option.get('consequence', '')}".strip(". ")
        output.say(f"{option.get('key')}{best}: {told}" if told else f"{option.get('key')}{best}")
