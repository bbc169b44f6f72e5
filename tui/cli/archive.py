"""`apm archive`: closed work items move to a file of their own, which still verifies and can be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from core.sanitise import one_line
from tui.cli import options, output

if TYPE_CHECKING:
    from core.store.archiving import Copied
    from core.workspace import Workspace


@click.group(invoke_without_command=True)
@click.option("--before", metavar="DATE", help="Archive what came to its end before this day (UTC, 2026-03-31).")
@click.option("--dry-run", is_flag=True, help="Only say which work items it would be; nothing is changed.")
@options.json_option
@options.pass_place
@click.pass_context
def archive(
    context: click.Context, place: options.Place, before: str | None, dry_run: bool, as_json: bool
) -> int | None:
    """Move closed work items, with what their phases left and their events, to a second file in state/.

    What the agents' record is counted from stays: decisions, answers, questions, conflicts, and what each day's calls
    have cost. Stopped at any moment, nothing is lost, and the same command completes it.
    """
    if (command := context.invoked_subcommand) is not None:
        if before is not None or dry_run:
            raise click.UsageError(f"--before and --dry-run archive, and do not go with `{command}`; leave them out.")
        context.default_map = {command: {"as_json": as_json}}
        return None
    if before is None:
        raise UsageError("Say `apm archive --before DATE`, or `apm archive list`.")
    day = _day(before)
    moment = round(datetime.combine(day, datetime.min.time(), UTC).timestamp() * 1000)
    with place.open() as workspace:
        return _would(workspace, moment, as_json) if dry_run else _archive(workspace, moment, day, as_json)


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--before: {one_line(text, 40)!r} is no date; write it as 2026-03-31.") from None
    if found > datetime.now(UTC).date():
        raise UsageError(f"--before: {found} is still to come.")
    return found


def _would(workspace: Workspace, moment: int, as_json: bool) -> int:
    from core.store.archiving import archivable

    found = workspace.store.read_now(lambda r: archivable(r, moment))
    if as_json:
        output.emit_json({"work_items": list(found)})
    else:
        output.say(f"{len(found)} work items would be archived{': ' if found else ''}{', '.join(map(str, found))}.")
    return 0


def _archive(workspace: Workspace, moment: int, day: date, as_json: bool) -> int:
    from core.store.archiving import archivable, archive_some, shrink
    from core.store.reads import read_live
    from core.store.replay import check_proven

    store = workspace.store
    if store.read_now(lambda r: archivable(r, moment)):
        store.read_now(lambda r: check_proven(r, store.key, workspace.state))
    made: list[Copied] = []
    while (copied := archive_some(store, moment, day.isoformat())) is not None:
        made.append(copied)
    is_driven = store.read_now(read_live).is_driven
    # It holds up every write while it lasts, which whoever drives would run into.
    sizes = None if is_driven else shrink(store.path)
    given_back = 0 if sizes is None else sizes[0] - sizes[1]
    if as_json:
        output.emit_json({"archives": [_made(one) for one in made], "bytes_given_back": given_back})
        return 0
    for one in made:
        count = len(one.work_items)
        output.say(f"{count} work items and {len(one.moved)} events are in state/{one.path.name} now.")
    if not made:
        output.say(f"Nothing was over before {day} that could be archived.")
    if given_back:
        output.say(f"{given_back / 2**20:.1f} MiB of the database were given back.")
    if is_driven and made:
        output.say("Another apm drives this workspace; the same command gives the space back once it has stopped.")
    return 0


def _made(copied: Copied) -> Json:
    return {
        "archive": copied.path.name,
        "work_items": list(copied.work_items),
        "events": len(copied.moved),
        "rows": copied.rows,
        "digest": copied.digest,
    }


@archive.command("list")
@options.json_option
@options.pass_place
def list_(place: options.Place, as_json: bool) -> None:
    """The archives that the journal names, the oldest first."""
    from core.store.archives import archives
    from tui.cli import shapes

    with place.open() as workspace:
        found = workspace.store.read_now(archives)
        there = {one.name: (workspace.state / one.name).is_file() for one in found}
    if as_json:
        output.emit_json(
            [
                {
                    "archive": one.name,
                    "at": shapes.moment(one.at),
                    "before": one.before,
                    "work_items": list(one.work_items),
                    "events": one.events,
                    "there": there[one.name],
                }
                for one in found
            ]
        )
        return
    output.table(
        ("archive", "made", "work items", "events", "file"),
        [
            (one.name, shapes.moment(one.at), len(one.work_items), one.events, "there" if there[one.name] else "away")
            for one in found
        ],
    )


@archive.command()
@options.number_argument
@options.json_option
@options.pass_place
def show(place: options.Place, number: int, as_json: bool) -> None:
    """An archived work item, as `apm work-item show` shows the others."""
    from core.store.archives import archives, holder_of, reading
    from tui.cli.work_items import print_work_item, shown_work_item

    with place.open() as workspace:
        named = workspace.store.read_now(archives)
        holder = holder_of(named, number)
        with reading(workspace.state / holder.name, workspace.store.key, named) as reader:
            shown = shown_work_item(reader, number)
    if as_json:
        output.emit_json(shown | {"archive": holder.name})
    else:
        print_work_item(shown)
        output.say(f"\nin {holder.name}")


def archive_path(state: Path, file: str) -> Path:
    """A path as it is, or a bare name in `state/`."""
    path = Path(file)
    return state / file if path.parent == Path() and not path.exists() else path
