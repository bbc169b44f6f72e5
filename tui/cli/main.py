"""The command `apm`: global options, the table of commands, and how every failure ends.

Exit codes: 0 done, 1 failed, 2 bad usage, 3 waits for a human; 130 and the like for a signal.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from core.contract import ApmError
from core.sanitise import one_line, sanitise
from tui.cli.lazy import LazyGroup
from tui.cli.logs import keep_trace, log_into, stop_logging
from tui.cli.options import Place, has_screen
from tui.cli.output import emit_json, forget_emitted, has_emitted, note

INTERRUPTED = 130
LEAST_FILES = 64
COMPLETION = "_APM_COMPLETE"
"""Set by a shell that asks what could come next; `_APM_COMPLETE=bash_source apm` prints the shell's part."""


class _Apm(LazyGroup):
    commands_at: Mapping[str, tuple[str, str]] = {
        "demo": ("tui.cli.demo:demo", "A sample project from request to release; no key, no network."),
        "init": ("tui.cli.setup:init", "Make a workspace."),
        "doctor": ("tui.cli.setup:doctor", "Check the machine, the workspace and its projects."),
        "project": ("tui.cli.projects:project", "The git repositories that the workspace governs."),
        "work-item": ("tui.cli.work_items:work_item", "Requests on their way to a release."),
        "run": ("tui.cli.running:run", "Drive work items without a screen."),
        "serve": ("tui.cli.serve:serve", "The app in a browser."),
        "escalation": ("tui.cli.escalations:escalation", "Questions that wait for a human."),
        "decide": ("tui.cli.governing:decide", "Put a decision to a domain agent."),
        "decisions": ("tui.cli.decisions:decisions", "What was decided; a person's decisions from a file; reversals."),
        "conflict": ("tui.cli.conflicts:conflict", "Two domain agents that want different things."),
        "scope": ("tui.cli.scope:scope", "Reviews of what the domain agents may decide."),
        "budget": ("tui.cli.budgets:budget", "What calls of models cost, and what they may cost."),
        "briefing": ("tui.cli.governing:briefing", "The day's status."),
        "agents": ("tui.cli.agents:agents", "The team."),
        "route": ("tui.cli.phases:route", "Which phase an artifact type goes to."),
        "gate": ("tui.cli.phases:gate", "Judge a payload at a phase's gate."),
        "schema": ("tui.cli.phases:schema", "An artifact type's JSON Schema."),
        "state": ("tui.cli.state:state", "The shared context, out and in."),
        "audit": ("tui.cli.audit:audit", "The journal of everything that happened."),
        "archive": ("tui.cli.archive:archive", "Closed work items, to a file of their own and back to the eye."),
        "replay": ("tui.cli.replay:replay", "The state, made again from the journal and compared."),
    }


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"apm {version('apm')}")
    except PackageNotFoundError:
        click.echo("apm (not installed, run from its source)")
    ctx.exit()


@click.group(cls=_Apm, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--workspace",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="APM_WORKSPACE",
    metavar="DIR",
    help="The workspace; otherwise the nearest one upward from here (APM_WORKSPACE sets it too).",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="The version.")
@click.pass_context
def apm(ctx: click.Context, workspace: Path | None) -> int:
    """Mission control for a team of AI agents. Without a command: open the app."""
    ctx.obj = Place(workspace)
    return 0 if ctx.invoked_subcommand is not None else _open_app(ctx.obj)


def _open_app(place: Place) -> int:
    try:
        folder = place.folder()
    except ApmError as error:
        raise click.UsageError(f"{error} `apm demo` shows one at work.") from None
    if not has_screen():
        raise click.UsageError("The app needs a terminal; `apm run --all` works without one.")
    from core.places import why_none

    if why := why_none(folder):
        raise click.UsageError(f"{why} `apm demo` shows one at work.")
    log_into(folder / "state", is_shown=False)
    # Of what is loaded from here to the first frame nothing can go; the app collects again once the workspace is open.
    gc.disable()
    from tui.app import run

    return run(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code. Nothing it can meet ends in a raw traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    forget_emitted()
    if asked := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete

        return shell_complete(apm, {}, "apm", COMPLETION, asked)
    _open_closed_streams()
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed < LEAST_FILES:
        # With fewer the event loop itself fails, and halfway through.
        why = (
            f"{allowed} files may be open at once here, and apm needs {LEAST_FILES}: `ulimit -n 1024`, then try again."
        )
        return _failed(words, why, 1)
    if (unread := next(filter(_is_unreadable, words), None)) is not None:
        shown = repr(os.fsencode(unread))[1:]
        return _failed(words, f"{shown} is not UTF-8, and names no file that is there; write it in UTF-8.", 2)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a question mark, which beats ending halfway.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    try:
        code = _outcome(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has read enough; what Python still holds for it must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        stop_logging()
    return code


def _open_closed_streams() -> None:
    """A standard stream that the caller closed (`>&-`) becomes one that leads nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 — it stays open to the end


def _is_unreadable(word: str) -> bool:
    """Whether a word's bytes are no text. Only the name of a file may be so, and only the file itself can tell."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return not any(os.path.lexists(name) for name in (word, word.partition("=")[2]))
    return False


def _in_a_line(error: click.ClickException) -> str:
    """click lists what there is to choose from below each other."""
    return " ".join(error.format_message().split())


def _outcome(words: Sequence[str]) -> int:
    try:
        # Not click's own `main`: it answers a closed pipe with exit code 1, and an interrupt with a line of its own.
        with apm.make_context("apm", list(words)) as context:
            code = apm.invoke(context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _failed(words, "stopped; what was recorded is kept, and the next run goes on from there.", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        note(error.format_message())
        return error.exit_code
    except click.UsageError as error:
        where = f" See `{error.ctx.command_path} --help`." if error.ctx is not None else ""
        return _failed(words, f"{_in_a_line(error)}{where}", error.exit_code)
    except click.ClickException as error:
        return _failed(words, _in_a_line(error), error.exit_code)
    except ApmError as error:
        return _failed(words, str(error), error.exit_code)
    except BrokenPipeError:
        raise
    except OSError as error:
        from core.remedies import told

        return _failed(words, told(error), 1)
    except Exception as error:
        kept = keep_trace(error)
        where = f" Its trace is in {kept}; please report it." if kept else ""
        return _failed(words, f"something went wrong inside apm: {one_line(_named(error), 300)}.{where}", 1)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _failed(words: Sequence[str], text: str, code: int) -> int:
    """Say what went wrong on standard error and, where JSON was asked for, in the one document as well."""
    asked = words[: words.index("--")] if "--" in words else words
    # A full disk behind standard output must not turn one sentence into a traceback.
    with contextlib.suppress(OSError):
        if "--json" in asked and not has_emitted():
            emit_json({"error": sanitise(text)})
    with contextlib.suppress(OSError):
        note(f"apm: {text}")
    return code


if __name__ == "__main__":
    sys.exit(main())
