"""`apm work-item`: requests are created, looked at, accepted and cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from core.store.states import FINISHED
from tui.cli import options, output

if TYPE_CHECKING:
    from core.store import rows
    from core.store.reads import Connection
    from core.store.transaction import Transaction
    from core.workspace import Workspace


@click.group("work-item")
def work_item() -> None:
    """Requests on their way to a release."""


@work_item.command()
@click.argument("title")
@click.option("--type", "kind", type=click.Choice(options.WORK_ITEM_TYPES), default="feature", show_default=True)
@click.option("--project", metavar="P", help="The project's name or number. [default: the only one there is]")
@click.option("--no-project", is_flag=True, help="Leave it without a project.")
@click.option("--body", metavar="FILE", help="The request's text: a file, or `-` for standard input.")
@click.option("--tag", "tags", multiple=True, metavar="T", help="May be given more than once.")
@click.option("--impact", type=click.IntRange(1, 10), metavar="N", help="1 to 10; above 8 a human decides everything.")
@click.option("--accept", "accepted", is_flag=True, help="Let it enter the phases at once.")
@options.by_option
@options.json_option
@options.pass_place
def create(
    place: options.Place,
    title: str,
    kind: str,
    project: str | None,
    no_project: bool,
    body: str | None,
    tags: Sequence[str],
    impact: int | None,
    accepted: bool,
    by: str,
    as_json: bool,
) -> None:
    """Create a work item, in state proposed; `apm run` and `accept` let it enter the phases."""
    from core.orchestration import work_items

    text = "" if body is None else options.read_text(body, "--body")
    if no_project and project is not None:
        raise click.UsageError("--project and --no-project exclude each other.")
    with place.open() as workspace:
        owner = None if no_project else _project(workspace, project)

        def write(tx: Transaction) -> int:
            number = work_items.create(
                tx,
                title=title,
                type=kind,
                body=text,
                project=owner.id if owner else None,
                tags=tags,
                impact=impact,
            )
            if accepted:
                work_items.accept(tx, number, by=by)
            return number

        number = workspace.store.write_now(write)
        shown = workspace.store.read_now(lambda r: shown_work_item(r, number))
    if as_json:
        output.emit_json(shown)
    else:
        where = f" for {owner.name}" if owner else ""
        output.say(f"Work item {number} is {shown['state']}{where}; `apm run {number}` drives it.")


def _project(workspace: Workspace, key: str | None) -> rows.ProjectRow | None:
    """The project that is named; without a name the only one there is, or none."""
    from tui.cli.projects import named

    if key is not None:
        return workspace.store.read_now(lambda r: named(r, key))
    from core.store import reads

    known = workspace.store.read_now(reads.projects)
    return known[0] if len(known) == 1 else None


@work_item.command("list")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
@options.json_option
@options.pass_place
def list_(place: options.Place, limit: int, as_json: bool) -> None:
    """The work items, the newest first."""
    from core.store import reads
    from tui.cli import shapes

    with place.open() as workspace:
        found = output.up_to(limit, workspace.store.read_now(lambda r: reads.work_items(r, limit=limit + 1)))
    if as_json:
        output.emit_json([shapes.work_item_line(item) for item in found])
        return
    output.table(
        ("id", "title", "type", "state", "phase", "project", "questions"),
        [
            (
                i.id,
                i.title,
                i.type,
                _state(i.state, i.facts.paused_at),
                i.phase,
                i.project,
                i.questions or "",
            )
            for i in found
        ],
    )


@work_item.command()
@options.number_argument
@options.json_option
@options.pass_place
def show(place: options.Place, number: int, as_json: bool) -> None:
    """One work item with its phases, delegations, artifacts and questions."""
    with place.open() as workspace:
        shown = workspace.store.read_now(lambda r: shown_work_item(r, number))
    if as_json:
        output.emit_json(shown)
    else:
        print_work_item(shown)


numbers_argument = click.argument("numbers", metavar="ID...", type=options.NUMBER, nargs=-1, required=True)


@work_item.command()
@numbers_argument
@options.by_option
@options.json_option
@options.pass_place
def accept(place: options.Place, numbers: Sequence[int], by: str, as_json: bool) -> None:
    """Let proposed work items enter the phases: all that are named, or none. With several JSON is an array."""
    from core.orchestration import work_items

    def write(tx: Transaction) -> dict[int, str]:
        for number in dict.fromkeys(numbers):
            work_items.accept(tx, number, by=by)
        return dict.fromkeys(numbers, "")

    _change(place, write, as_json, "Work item {0} is accepted; `apm run {0}` drives it.")


@work_item.command()
@numbers_argument
@options.by_option
@options.json_option
@options.pass_place
def cancel(place: options.Place, numbers: Sequence[int], by: str, as_json: bool) -> None:
    """End work items here, all that are named or none; branches and records stay. With several JSON is an array."""
    from core.orchestration import work_items

    def write(tx: Transaction) -> dict[int, str]:
        return {number: work_items.cancel(tx, number, by=by) for number in dict.fromkeys(numbers)}

    _change(place, write, as_json, "Work item {0} is cancelled; its open questions are withdrawn.")


def _change(place: options.Place, write: Callable[[Transaction], dict[int, str]], as_json: bool, text: str) -> None:
    """Do it, and show the work items: `write` gives what stays outside of apm for each, and `text` tells of one."""
    with place.open() as workspace:
        done = workspace.store.write_now(write)
        shown = workspace.store.read_now(lambda r: [_shown_with(r, number, held) for number, held in done.items()])
    if as_json:
        output.emit_json(shown[0] if len(shown) == 1 else shown)
        return
    for number, held in done.items():
        output.say(f"{text.format(number)} {held}".rstrip())


def _shown_with(reader: Connection, number: int, held: str) -> Json:
    return shown_work_item(reader, number) | ({"outside": held} if held else {})


def shown_work_item(reader: Connection, number: int) -> Json:
    """A work item as `show --json` prints it; raises UsageError for a number that is none."""
    from core.store import reads, reads_escalations, reads_governance
    from core.store.reads_spending import costs_by_phase
    from tui.cli import conflicts, shapes

    item = reads.work_item(reader, number)
    if item is None:
        raise UsageError(f"There is no work item {number}; `apm work-item list` shows them.")
    shown = shapes.work_item(
        item,
        reads.artifacts(reader, number),
        reads.phase_runs(reader, number),
        reads.delegations(reader, number),
        reads_escalations.escalations(reader, open_only=False, work_item=number, limit=100_000),
    )
    costs = costs_by_phase(reader, number)
    for phase in shown["phases"]:
        phase["cost"] = shapes.cost(c for c in costs if c.phase == phase["phase"])
    return shown | {
        "cost": shapes.cost(costs),
        "decisions": [shapes.decision_line(d) for d in reversed(reads.decisions(reader, work_item=number))],
        "conflicts": [conflicts.shape(c) for c in reversed(reads_governance.conflicts(reader, work_item=number))],
    }


def in_words(cost: Json) -> str:
    """`2,760 tokens, $0.0092`; "" where no model was asked."""
    from tui.text.amounts import price

    paid = price(cost["dollars"], cost["unpriced"], cost["calls"])
    return f"{cost['tokens']:,} tokens, {paid}" if cost["tokens"] else ""


def _state(state: str, paused: int | None) -> str:
    """In words for a person: a pause keeps it from going on, whatever it would do without."""
    return f"{state}, paused" if paused and state not in FINISHED else state


def print_work_item(shown: Json) -> None:
    names = ("id", "title", "type", "state", "phase", "project", "branch", "tags", "impact", "origin", "created_at")
    told = shown | {"state": _state(shown["state"], shown["paused"])}
    output.facts([*((name.replace("_", " "), told[name]) for name in names), ("cost", in_words(shown["cost"]))])
    if shown["phases"]:
        output.say()
        costs = [in_words(p["cost"]) for p in shown["phases"]]
        # A column with nothing in it tells less than none.
        columns = 5 if any(costs) else 4
        rows = [(p["phase"], p["status"], p["attempt"], p["seconds"]) for p in shown["phases"]]
        output.table(
            ("phase", "status", "round", "seconds", "cost")[:columns],
            [(*row, cost)[:columns] for row, cost in zip(rows, costs, strict=True)],
        )
    if shown["delegations"]:
        output.say()
        output.table(
            ("agent", "subject", "phase", "status", "runtime", "seconds"),
            [
                (d["agent"], d["subject"], d["phase"], d["status"], d["runtime"], f"{d['seconds']:.3f}")
                for d in shown["delegations"]
            ],
        )
    if shown["decisions"]:
        output.say()
        output.table(
            ("decision", "owner", "kind", "phase", "choice", "by", "rule"),
            [
                (d["id"], d["agent"], d["kind"], d["phase"], d["choice"] or "waits", d["decided_by"], d["rule"])
                for d in shown["decisions"]
            ],
        )
    for found in shown["conflicts"]:
        ended = f"{found['winner'] or 'neither'} ({found['decided_by']})" if found["resolved_at"] else "waits"
        output.say(f"conflict {found['id']}: {found['topic']}: {ended}")
    if shown["artifacts"]:
        output.say()
        output.table(("artifact", "id", "digest"), [(a["type"], a["id"], a["digest"]) for a in shown["artifacts"]])
    if shown["escalations"]:
        output.say()
        output.say("escalations  " + ", ".join(str(n) for n in shown["escalations"]))
