"""`apm audit`: what happened, and whether the record of it is whole."""

from __future__ import annotations

import click

from core.contract import Json, canonical_json
from core.sanitise import one_line
from tui.cli import options, output
from tui.cli.archive import archive_path
from tui.cli.why import why

SHOWN_FACTS = 300
"""Characters of an event's facts on its line."""


@click.group()
def audit() -> None:
    """The journal of everything that happened."""


audit.add_command(why)


@audit.command()
@click.option("-n", "--lines", "count", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.option("--work-item", type=options.NUMBER, metavar="ID", help="Only events of this work item.")
@options.json_option
@options.pass_place
def tail(place: options.Place, count: int, work_item: int | None, as_json: bool) -> None:
    """The last events, oldest first."""
    from core.store import reads
    from tui.cli import shapes

    with place.open() as workspace:
        found = workspace.store.read_now(lambda r: reads.events(r, last=count, work_item=work_item))
    if as_json:
        output.emit_json([shapes.event(e) for e in found])
        return
    output.table(
        ("event", "at", "kind", "item", "facts"),
        [(e.seq, shapes.moment(e.at), e.kind, e.work_item, _facts(e.payload)) for e in found],
    )


def _facts(payload: Json) -> str:
    """An event's own facts; of the rows that it carries their tables, of a delegation its agent and status."""
    shown = {k: v for k, v in payload.items() if k not in ("rows", "request", "response")}
    if "response" in payload:
        answered = payload["response"]
        shown |= {"agent": answered["responding_agent"], "status": answered["status"]}
    tables = sorted({table for table, _, _ in payload.get("rows", ())})
    return one_line(f"{canonical_json(shown)} {', '.join(tables)}", SHOWN_FACTS)


@audit.command()
@click.option("--archive", "file", metavar="FILE", help="Check this archive instead: a path, or a name in state/.")
@options.json_option
@options.pass_place
def verify(place: options.Place, file: str | None, as_json: bool) -> int:
    """Check the database's file, the chain of events from the first to the last, and the head that is stored apart.

    Events that are in an archive are vouched for by the event that made it; --archive checks the archive itself.
    """
    from core.store.archives import archives as named
    from core.store.archives import verify_archive
    from core.store.soundness import verify_store

    with place.open() as workspace:
        store = workspace.store
        if file is None:
            audit = verify_store(store)
            events, faults, archived = audit.events, audit.faults, audit.archived
        else:
            found = verify_archive(archive_path(workspace.state, file), store.key, store.read_now(named))
            events, faults, archived = found.events, found.faults, 0
    if as_json:
        shown = [{"seq": f.seq, "what": f.what} for f in faults]
        output.emit_json({"ok": not faults, "events": events, "archived": archived, "faults": shown})
    elif not faults:
        also = f"; {archived} more are in archives" if archived else ""
        output.say(f"✓ whole  {events} events, each as it was written{also}")
    for fault in faults if not as_json else ():
        output.say(f"✗ broken  {fault.what}")
    return 1 if faults else 0
