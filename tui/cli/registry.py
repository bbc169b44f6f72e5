"""`apm agents import` and `apm agents export`: the team's files come into the workspace, and out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError
from core.paths import real
from tui.cli import options, output

if TYPE_CHECKING:
    from core.governance.team import Imported
    from core.registry.changes import Changes
    from core.registry.sources import Sources
    from core.store.reads import Connection
    from core.store.rows import AgentRow
    from core.workspace import Workspace

DONE, FAILED = 0, 1


@click.command("import")
@click.argument("file", required=False, metavar="[FILE|-]")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.json_option
@options.pass_place
def import_(place: options.Place, file: str | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Bring the team's files into the workspace: agents.yaml and agents.d/*.yaml.

    What changes is shown first. With FILE, that takes the place of agents.yaml (the old one stays as agents.yaml.bak).
    A terminal asks before anything is changed. Without one, with --json, and with a FILE from standard input, the
    command itself is the word for it, and --dry-run only looks. An authority that a person granted is not undone: where
    the files contradict one, that becomes a question in the queue.
    """
    is_asked = not (yes or as_json or file == "-") and options.has_screen()
    with place.open(team="untouched") as workspace:
        seen = workspace.digest()
        sources = _sources(workspace, file)
        found = _changes(workspace, sources)
        replaces = sources.base != workspace.sources().base
        if not as_json:
            _show(found, replaces=replaces)
        is_news = replaces or not found.is_empty
        applied = not dry_run and (not is_asked or not is_news or _agreed())
        if applied and workspace.digest() != seen:
            raise UsageError(
                "The team's files have changed since this was shown. Nothing was changed; import them again."
            )
        imported = _apply(workspace, sources, found, replaces=replaces) if applied else None
    if as_json:
        output.emit_json(_as_json(found, imported, sources, file, dry_run))
    else:
        _say_outcome(found, imported, dry_run, is_news)
    return DONE if applied or dry_run else FAILED


def _sources(workspace: Workspace, file: str | None) -> Sources:
    """The workspace's files, or those with FILE in the place of agents.yaml. Raises CatalogError, UsageError."""
    if file is None:
        try:
            return workspace.sources()
        except OSError:
            # It is said in the words that every other command has for it.
            workspace.load_team()
            raise
    path = workspace.file if file == "-" else Path(file)
    return workspace.sources(options.read_text(file, "The team's file").encode(), path)


def _changes(workspace: Workspace, sources: Sources) -> Changes:
    from core.registry.changes import changes
    from core.registry.importing import read_known

    catalog = workspace.load_team(sources)
    return changes(workspace.store.read_now(read_known), catalog)


def _apply(workspace: Workspace, sources: Sources, found: Changes, *, replaces: bool) -> Imported:
    from core.governance.team import Imported, open_questions
    from core.registry.sources import replace_file

    if replaces:
        replace_file(workspace.file, sources.base, backup=True)
    imported = workspace.update_registry()
    if imported is not None and imported.is_new:
        return imported
    # An engine that runs here has been quicker, and its questions are this import's.
    return Imported(found, workspace.store.read_now(lambda r: open_questions(r, found)))


def _agreed() -> bool:
    return click.confirm("Apply this?", default=False, err=True)


def _show(found: Changes, *, replaces: bool) -> None:
    from core.registry.differences import to_lines

    for line in to_lines(found):
        output.say(line)
    if found.is_empty and replaces:
        output.say("The text of agents.yaml changes, and nothing of what it says.")


def _say_outcome(found: Changes, imported: Imported | None, dry_run: bool, is_news: bool) -> None:
    if not is_news:
        output.say("The workspace has it all already; nothing changes.")
    elif dry_run:
        output.note("Nothing was changed (--dry-run).")
    elif imported is None:
        output.note("Nothing was changed.")
    else:
        output.note("Done.")
        for number in imported.questions:
            output.note(f"Escalation {number} asks which authority holds (`apm escalation show {number}`).")


def _as_json(found: Changes, imported: Imported | None, sources: Sources, file: str | None, dry_run: bool) -> Json:
    from core.registry.differences import to_json

    return {
        "file": file or str(sources.path),
        "digest": sources.digest,
        "dry_run": dry_run,
        "applied": imported is not None,
        "changes": to_json(found),
        "questions": list(imported.questions) if imported else [],
    }


@click.command()
@click.argument("file", default="-", metavar="[FILE|-]")
@options.json_option
@options.pass_place
def export(place: options.Place, file: str, as_json: bool) -> None:
    """Write the registry as a YAML that imports back to the same, with the authority in force now.

    Agents of agents.d are in it. Where FILE is a registry already, its comments, order and quotes stay and only what
    differs changes; otherwise those of the workspace's agents.yaml are taken over. Without FILE it is printed.
    """
    with place.open() as workspace:
        path = None if file == "-" else Path(file)
        text = _export_text(workspace, path)
        changed = path is not None and _write(workspace, path, text)
        count = sum(a.is_active for a in workspace.store.read_now(_agents))
    if as_json:
        where: Json = {"yaml": text} if path is None else {"file": str(path), "changed": changed}
        output.emit_json({**where, "agents": count})
    elif path is None:
        click.echo(text, nl=False)
    else:
        output.say(f"{path} holds the registry with {count} agents" + ("." if changed else "; nothing had changed."))


def _agents(reader: Connection) -> Sequence[AgentRow]:
    from core.store import reads

    return reads.agents(reader)


def _export_text(workspace: Workspace, path: Path | None) -> str:
    from core.registry.exporting import export as export_registry
    from core.registry.importing import read_known

    template = _template(workspace, path)
    known = workspace.store.read_now(read_known)
    return export_registry(known, known.sections, *template)


def _template(workspace: Workspace, path: Path | None) -> tuple[bytes | None, str]:
    """The text whose comments and order are kept, and its name. Raises UsageError when FILE cannot be read."""
    if path is not None and path.exists():
        return options.read_text(str(path), "The file to export to").encode(), path.name
    if workspace.fault is not None:
        return None, workspace.file.name
    return workspace.file.read_bytes(), workspace.file.name


def _write(workspace: Workspace, path: Path, text: str) -> bool:
    """Put the text in the file's place; False when it stands there already."""
    from core.registry.sources import replace_file

    options.refuse_without_folder(path)
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return False
    own = real(path) == real(workspace.file)
    replace_file(path, content, backup=own)
    if own:
        workspace.update_registry()
    return True
