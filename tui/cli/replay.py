"""`apm replay --verify`: whether the events alone give the state that the workspace keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from core.sanitise import one_line
from tui.cli import options, output

if TYPE_CHECKING:
    from core.store.replay import Difference, Replayed, TableVerdict

SHOWN_VALUE = 60
"""Characters of a value that differs."""


@click.command()
@click.option("--verify", "is_verify", is_flag=True, help="Compare what comes out with what is kept, table by table.")
@options.json_option
@options.pass_place
def replay(place: options.Place, is_verify: bool, as_json: bool) -> int:
    """Make the state again from the events alone, in a fresh database that is thrown away afterwards.

    Exit code 1 when a table is not what the events say, or the journal itself is not whole (`apm audit verify`).
    """
    if not is_verify:
        raise UsageError("Say `apm replay --verify`: it rebuilds the state beside the database and changes nothing.")
    from core.store.replay import replay as rebuild

    with place.open() as workspace:
        store = workspace.store
        found = store.read_now(lambda r: rebuild(r, store.key, workspace.state))
    if as_json:
        output.emit_json(_shape(found))
    else:
        _show(found)
    return 0 if found.is_equal else 1


def _shape(found: Replayed) -> Json:
    return {
        "ok": found.is_equal,
        "events": found.audit.events,
        "faults": [{"seq": f.seq, "what": f.what} for f in found.audit.faults],
        "tables": [_table(t) for t in found.tables],
    }


def _table(table: TableVerdict) -> Json:
    return {
        "table": table.table,
        "rows": table.rows,
        "rebuilt_rows": table.rebuilt_rows,
        "equal": table.is_equal,
        "digest": table.digest,
        "rebuilt_digest": table.rebuilt_digest,
        "differing": table.differing,
        "differences": [{"key": d.key, "what": d.what, "columns": d.columns} for d in table.differences],
    }


def _show(found: Replayed) -> None:
    if not found.audit.is_whole:
        for fault in found.audit.faults:
            output.say(f"✗ broken  {fault.what}")
        output.say("Nothing was rebuilt: what is not whole proves nothing.")
        return
    output.table(
        ("table", "rows", "state", "digest"),
        [(t.table, t.rows, "equal" if t.is_equal else f"{t.differing} differ", t.digest[:16]) for t in found.tables],
    )
    for table in found.tables:
        for difference in table.differences:
            for text in _lines(difference):
                output.say(f"✗ {table.table} {difference.key}{text}")
        if table.differing > len(table.differences):
            output.say(f"  … and {table.differing - len(table.differences)} more of {table.table}")
    if found.is_equal:
        output.say(f"✓ equal  {found.audit.events} events give all that is kept")


def _lines(difference: Difference) -> Iterator[str]:
    if difference.what == "added":
        yield " is in no event"
    elif difference.what == "missing":
        yield " is in the events and not kept"
    for name, (kept, rebuilt) in difference.columns.items():
        yield f": {name} is {_value(kept)}, the events say {_value(rebuilt)}"


def _value(value: object) -> str:
    return one_line(repr(value), SHOWN_VALUE)
