"""`apm run`: work items are driven without a screen, and the result is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import Json
from tui.cli import options, output

if TYPE_CHECKING:
    from core.store import rows
    from core.store.reads import Connection
    from core.store.transaction import Transaction
    from core.workspace import Workspace

WAITS, FAILED, DONE = 3, 1, 0


@click.command()
@click.argument("numbers", metavar="[ID...]", nargs=-1, type=options.NUMBER)
@click.option("--all", "everything", is_flag=True, help="Every accepted work item, and every one that a human made.")
@click.option("--until", type=options.Phase(), metavar="PHASE", help="Stop once this phase has passed.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also keep what models answer in this cassette, without secrets; an existing one is added to.",
)
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Let this cassette answer in the place of every model; nothing is sent.",
)
@options.by_option
@options.json_option
@options.pass_place
def run(
    place: options.Place,
    numbers: Sequence[int],
    everything: bool,
    until: str | None,
    record: Path | None,
    replay: Path | None,
    by: str,
    as_json: bool,
) -> int:
    """Drive work items until they are done or wait for a human; progress goes to standard error.

    Naming a proposed work item accepts it, naming a paused one resumes it.
    """
    from core.governance.providers import outages
    from core.orchestration.runtimes import Tape
    from tui.cli.driving import are_underway, drive

    if bool(numbers) == everything:
        raise click.UsageError("Name the work items to run, or --all.")
    if record is not None and replay is not None:
        raise click.UsageError("--record keeps what models answer, --replay asks none; give one of them.")
    began = time.monotonic()
    with place.open() as workspace:
        # One transaction: no work item is let go for a cassette that is none, no cassette begun for one that cannot go.
        paused = workspace.store.read_now(lambda r: _paused(r, numbers))
        chosen, tape = workspace.store.write_now(
            lambda tx: (_let_go(tx, numbers, until, by), Tape.open(record, replay))
        )
        if paused:
            which = ", ".join(map(str, paused))
            output.note(f"Resumed: {which}." if numbers else f"Left out, since they are paused: {which}.")
        # With nothing to drive there are still deadlines, schedules, notices and files in the inbox.
        asyncio.run(drive(workspace, chosen, tape=tape))
        report, code = workspace.store.read_now(lambda r: report_on(r, chosen, time.monotonic() - began))
        if code == DONE and workspace.store.read_now(lambda r: are_underway(r, chosen)):
            # Nobody is asked about these in particular, and they are not done: what they need cannot be had now.
            code = WAITS
            whys = workspace.store.read_now(outages) or ["Not all is done, and no more can be done now."]
            for why in whys:
                output.note(f"{why} The next run goes on from there.")
        if as_json:
            output.emit_json(report)
        else:
            show_report(workspace, report)
    return code


def _let_go(tx: Transaction, numbers: Sequence[int], until: str | None, by: str) -> list[int]:
    """Accept, resume and limit the work items that are meant; all of them or, where one cannot go, none."""
    from core.governance.persons import named_person
    from core.orchestration import work_items
    from core.store import reads

    person = named_person(tx, by)
    chosen = list(dict.fromkeys(numbers))
    if not chosen:
        unfinished = reads.work_items(tx, limit=100_000, unfinished_only=True)
        chosen = [i.id for i in reversed(unfinished) if _is_meant(i.facts)]
    for number in chosen:
        facts = work_items.existing(tx, number)
        if facts.closed_at is not None:
            continue
        work_items.accept(tx, number, by=person)
        if facts.paused_at is not None:
            work_items.resume(tx, number, by=person)
        work_items.stop_after(tx, number, until)
    return chosen


def _paused(reader: Connection, numbers: Sequence[int]) -> list[int]:
    """Those of the work items that are paused; without any, of all that are not done."""
    from core.store import reads

    found = reads.work_items(reader, limit=100_000, unfinished_only=True)
    return [i.id for i in reversed(found) if i.facts.paused_at is not None and (not numbers or i.id in numbers)]


def _is_meant(facts: rows.WorkItemFactsRow) -> bool:
    """Whether `--all` means this one: what evolution proposes is a human's to accept, a pause is a human's to end."""
    return facts.paused_at is None and (facts.accepted_at is not None or facts.origin == "human")


def report_on(reader: Connection, numbers: Sequence[int], seconds: float, more: Json | None = None) -> tuple[Json, int]:
    """What became of the work items, as `run --json` prints it, and the exit code that says so."""
    from core.store import reads
    from tui.cli import shapes
    from tui.cli.work_items import shown_work_item

    shown = [shown_work_item(reader, n) for n in numbers]
    gates = [g for n in numbers for g in reads.gate_results(reader, n)]
    states = {s["state"] for s in shown}
    code = WAITS if "waiting" in states else FAILED if "failed" in states else DONE
    return shapes.run_report(shown, gates, seconds, more), code


def show_report(workspace: Workspace, report: Json) -> None:
    """The end of a run for a person: where each work item stands, what its gates measured, what it asks."""
    from core.store import reads_escalations
    from tui.cli.work_items import in_words

    asked = workspace.store.read_now(lambda r: reads_escalations.escalations(r, limit=10_000))
    if not report["work_items"]:
        output.say("Nothing to run: no work item is accepted or was made by a human.")
    for item in report["work_items"]:
        where = f" in {item['phase']}" if item["phase"] else ""
        cost = f", {paid} in all" if (paid := in_words(item["cost"])) else ""
        output.say(f"{item['id']} {item['title']}: {item['state']}{where}{cost}")
        for row in asked:
            if row.work_item == item["id"]:
                output.say(f"  asks #{row.id} {row.question} (`apm escalation show {row.id}`)")
    show_gates(report["gates"])


def show_gates(gates: Sequence[Json]) -> None:
    from tui.cli.phases import mark

    if not gates:
        return
    output.say()
    output.table(
        ("item", "gate", "", "criterion", "required", "actual"),
        [
            (
                g["work_item"] if n == 0 else "",
                g["phase"] if n == 0 else "",
                mark(c),
                c["name"],
                c["required"],
                c["actual"],
            )
            for g in gates
            for n, c in enumerate(g["criteria"])
        ],
    )
