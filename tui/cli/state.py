"""`apm state`: the shared context as a document, out of the workspace and in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import UsageError
from tui.cli import options, output

if TYPE_CHECKING:
    from core.governance.shared_context import BroughtIn
    from core.workspace import Workspace

STANDARD = "-"
FILE = click.argument("file", metavar="[FILE|-]", default="", type=click.Path(dir_okay=False, allow_dash=True))


@click.group()
def state() -> None:
    """The shared context: what people say of the product and the milestone, and what apm has counted."""


@state.command()
@FILE
@options.json_option
@options.pass_place
def export(place: options.Place, file: str, as_json: bool) -> None:
    """Write the shared context to FILE (default: state/shared_context.json; - for standard output)."""
    from core.governance.shared_context import export as exported
    from core.registry.sources import replace_file

    with place.open() as workspace:
        milestone, profile = workspace.milestone, workspace.profile
        context = workspace.store.read_now(lambda r: exported(r, milestone=milestone, profile=profile))
        path = _path(workspace, file)
        if file != STANDARD:
            _refuse_other(path)
    if file == STANDARD:
        output.emit_json(context)
        return
    content = json.dumps(context, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    replace_file(path, content.encode())
    lists = context["workspace"]["lists"]
    if as_json:
        output.emit_json({"file": str(path), "bytes": len(content.encode()), "lists": lists})
        return
    output.say(str(path))
    for name, listed in lists.items():
        if listed["listed"] < listed["of"]:
            output.note(f"{name} lists the newest {listed['listed']:,} of {listed['of']:,}.")


@state.command(name="import")
@FILE
@options.by_option
@options.json_option
@options.pass_place
def import_(place: options.Place, file: str, by: str, as_json: bool) -> None:
    """Keep what people maintain of the shared context in FILE (default: state/shared_context.json).

    Decisions, conflicts, records and authority stay out: here they are earned here.
    """
    from core.governance.shared_context import bring_in, parse

    with place.open() as workspace:
        source = file if file == STANDARD else str(_path(workspace, file))
        context = parse(options.read_text(source, "The shared context"))
        found = workspace.store.write_now(lambda tx: bring_in(tx, context, by=by))
    if as_json:
        output.emit_json(found.to_json())
    else:
        _tell(found)


def _refuse_other(path: Path) -> None:
    """Raises UsageError when the file is there and is no shared context: it is somebody's, or apm's own."""
    from core.governance.shared_context_document import COUNTED

    options.refuse_without_folder(path)
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return
    try:
        known = json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        known = None
    if not isinstance(known, dict) or not set(COUNTED) <= set(known):
        raise UsageError(f"{path} is there already and is no shared context; name another file, or move it away.")


def _path(workspace: Workspace, file: str) -> Path:
    """The file that is meant. Raises UsageError where the usual one is a link, which nobody but a person should set."""
    from core.governance.shared_context import FILE_NAME

    if file:
        return Path(file)
    path = workspace.state / FILE_NAME
    if path.is_symlink():
        raise UsageError(f"{path} is a link; name the file that it leads to, if that is the one you mean.")
    return path


def _tell(found: BroughtIn) -> None:
    taken = f"Taken in, in place of what was there: {', '.join(found.kept)}."
    output.say(taken if found.kept else "Nothing was changed.")
    if found.unchanged:
        output.say(f"As it was already: {', '.join(found.unchanged)}.")
    left_out = [f"{name} ({number:,})" for name, number in found.left_out.items() if number]
    if left_out:
        output.say(f"Left out, because a record is earned in its own workspace: {', '.join(left_out)}.")
