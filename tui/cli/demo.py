"""`apm demo`: the sample project goes from request to release, in the app or without a screen."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.contract import ApmError, Json
from core.paths import real
from tui.cli import options, output
from tui.cli.logs import log_into
from tui.cli.running import FAILED, report_on, show_gates

if TYPE_CHECKING:
    from core.demo.run import Demo
    from core.store.reads import Connection
    from core.workspace import Workspace


OVER = "The demo is over; remove {folder} to begin it again."


@click.command()
@click.option(
    "--headless", is_flag=True, help="Without the app: questions get their recommended answer, and that is said."
)
@options.json_option
@options.pass_place
def demo(place: options.Place, headless: bool, as_json: bool) -> int:
    """A small real project goes from request to release; no key, no network. Started again it goes on.

    It works in the workspace that --workspace names, otherwise in one of its own under state/demo/. The two coding
    agents play recorded answers (replay); everything else is done for real.
    """
    from core import places
    from core.demo import run

    folder = place.given or places.DEMO
    output.note(f"The demo's workspace is {real(folder)}.")
    workspace, started = run.prepare(folder)
    with workspace:
        log_into(workspace.state)
        if headless or as_json or not options.has_screen():
            return _headless(workspace, started, as_json)
    return _in_app(workspace.folder)


def _in_app(folder: Path) -> int:
    from core.demo import run
    from tui.app import run as open_app

    log_into(folder / "state", is_shown=False)
    code = open_app(folder)
    workspace, started = run.prepare(folder)
    with workspace:
        if run.is_over(workspace, started):
            run.finish(workspace, started)
            _show(_report(workspace, started, 0.0)[0])
            output.note(OVER.format(folder=workspace.folder))
        else:
            output.say("The demo is not over; `apm demo` goes on with it.")
    return code


def _headless(workspace: Workspace, started: Demo, as_json: bool) -> int:
    from core.demo import run
    from tui.cli.driving import drive

    began = time.monotonic()
    asked: Counter[str] = Counter()
    stuck: list[ApmError] = []

    async def answer() -> bool:
        try:
            return await workspace.store.write(lambda tx: run.answer_open(tx, started.work_item, asked)) > 0
        except ApmError as error:
            stuck.append(error)
            return False

    is_over = run.is_over(workspace, started)
    if not is_over:
        output.note(f"Questions get the answer that they recommend, by {run.BY}.")
        asyncio.run(drive(workspace, [started.work_item], answer))
    run.finish(workspace, started)
    report, code = _report(workspace, started, time.monotonic() - began)
    output.note(f"{report['seconds']:.1f} s")
    if as_json:
        output.emit_json({**report, "error": str(stuck[0])} if stuck else report)
    else:
        _show(report)
    for error in stuck:
        output.note(f"apm: {error}")
        code = error.exit_code
    state = report["work_items"][0]["state"]
    if state in ("cancelled", "failed"):
        output.note(f"apm: The demo ended as {state}; remove {workspace.folder} to begin it again.")
        code = FAILED
    elif is_over:
        output.note(OVER.format(folder=workspace.folder))
    return code


def _report(workspace: Workspace, started: Demo, seconds: float) -> tuple[Json, int]:
    def read(reader: Connection) -> tuple[Json, int]:
        return report_on(reader, [started.work_item], seconds, _more(reader, workspace, started))

    return workspace.store.read_now(read)


def _more(reader: Connection, workspace: Workspace, started: Demo) -> Json:
    """What the demo's report tells besides a run's: the questions with who answered, and what it proposes next."""
    from core.store import reads, reads_escalations
    from tui.cli import shapes

    now = workspace.store.clock()
    project = reads.project(reader, started.project)
    asked = sorted(
        reads_escalations.escalations(reader, open_only=False, work_item=started.work_item, limit=10_000),
        key=lambda e: e.id,
    )
    decided = reversed(reads.decisions(reader, work_item=started.work_item))
    proposed = [w for w in reads.work_items(reader, limit=10_000) if w.facts.parent == started.work_item]
    return {
        "workspace": str(workspace.folder),
        "project": None if project is None else shapes.project(project),
        "escalations": [shapes.escalation(e, reads_escalations.answers(reader, e.id), now) for e in asked],
        "decisions": [shapes.decision_line(d) for d in decided],
        "proposed": [shapes.work_item_line(w) for w in reversed(proposed)],
    }


def _show(report: Json) -> None:
    item = report["work_items"][0]
    output.say(f"{item['title']}: {item['state']}. The coding agents' answers were recorded (replay).")
    output.say()
    output.table(("artifact", "id", "digest"), [(a["type"], a["id"], a["digest"]) for a in report["artifacts"]])
    show_gates(report["gates"])
    output.say()
    output.table(
        ("phase", "status", "rounds", "seconds"),
        [(p["phase"], p["status"], p["attempt"], p["seconds"]) for p in item["phases"]],
    )
    if report["escalations"]:
        output.say()
        output.table(
            ("question", "answer", "by", "provenance", ""),
            [
                (e["id"], r["option"], r["by"], r["provenance"], e["question"])
                for e in report["escalations"]
                for r in (e["resolution"] or {"option": e["status"], "by": "", "provenance": ""},)
            ],
        )
    if report["decisions"]:
        output.say()
        output.table(
            ("decision", "agent", "kind", "choice", "provenance", "rule"),
            [(d["id"], d["agent"], d["kind"], d["choice"], d["provenance"], d["rule"]) for d in report["decisions"]],
        )
    if report["proposed"]:
        output.say()
        output.table(("proposed", "type", "title"), [(w["id"], w["type"], w["title"]) for w in report["proposed"]])
    output.say()
    output.say(f"Look at it in the app: apm --workspace {report['workspace']}")
