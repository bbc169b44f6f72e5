"""The demo's way: its workspace is prepared once, and its questions get the answer that they recommend.

Everything here can be cut short and done again: what is there is left as it is.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.contract import ApmError, Json
from core.demo import sample
from core.governance import escalations
from core.orchestration import work_items
from core.places import FILE
from core.projects.registering import ProjectFacts, add_project, examine
from core.store import reads, reads_escalations, rows
from core.store.settings import keep_setting
from core.store.transaction import Transaction
from core.workspace import MODELS_OFF, Workspace, create

BY = "apm demo"
SETTING = "demo"
"""Where a workspace keeps what its demo has made: {"project", "work_item", "runtimes": what the coders had before}."""
CODERS = ("code-implementer", "test-implementer")
REPLAY = "replay"
MOST_ANSWERS = 3
"""How often the same step is answered for; a step that fails as often will not be mended by trying again."""


class NeedsAPerson(ApmError):
    """A question asks for what no rule may make up."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Demo:
    """The numbers of the demo's project and work item."""

    project: int
    work_item: int


def prepare(folder: Path) -> tuple[Workspace, Demo]:
    """The workspace with the sample project and its accepted work item, opened; made where it is not there yet.

    Raises ApmError when something else is in the way.
    """
    if not (folder / FILE).is_file():
        create(folder)
    with Workspace.open(folder) as workspace:
        known = workspace.setting(SETTING) or {}
        if _is_begun(known) and is_over(workspace, _demo(known)):
            return Workspace.open(folder), _demo(known)
        known = _remember_runtimes(workspace, known)
    change_runtimes(folder / FILE, dict.fromkeys(CODERS, REPLAY))
    workspace = Workspace.open(folder)
    try:
        if not _is_begun(known):
            known = _begin(workspace, known)
        if not workspace.are_models_off:
            # Whatever key the environment holds: a demo costs nothing.
            workspace.set(MODELS_OFF, True)
        if workspace.cassette != sample.cassette_path():
            workspace.set("cassette", str(sample.cassette_path()))
        return workspace, _demo(known)
    except BaseException:
        workspace.close()
        raise


def _is_begun(known: Json) -> bool:
    return "work_item" in known


def _remember_runtimes(workspace: Workspace, known: Json) -> Json:
    """Write down what executes the coding agents, before that is changed: a kill in between must not lose it."""
    own = {role: name for role, name in runtimes_of(workspace.folder / FILE, CODERS).items() if name != REPLAY}
    if own:
        known = {**known, "runtimes": {**known.get("runtimes", {}), **own}}
        workspace.set(SETTING, known)
    return known


def _demo(known: Json) -> Demo:
    return Demo(known["project"], known["work_item"])


def is_over(workspace: Workspace, demo: Demo) -> bool:
    """Whether its work item has come to its end, whichever that is."""
    item = workspace.store.read_now(lambda r: reads.work_item_facts(r, demo.work_item))
    return item is None or item.is_over


def _begin(workspace: Workspace, known: Json) -> Json:
    folder = workspace.folder / sample.NAME

    async def project() -> ProjectFacts:
        if not await sample.is_project(folder):
            await sample.write_project(folder)
        return await examine(folder, name=sample.NAME)

    facts = asyncio.run(project())
    return workspace.store.write_now(lambda tx: _put_on_record(tx, facts, known))


def _put_on_record(tx: Transaction, facts: ProjectFacts, known: Json) -> Json:
    """Project, work item and their numbers in one commit: a demo that is cut short here is there whole or not."""
    found = next((p for p in reads.projects(tx) if p.path == str(facts.path)), None)
    project = found.id if found else add_project(tx, facts, {})
    item = work_items.create(tx, project=project, **sample.request())
    work_items.accept(tx, item, by=BY)
    made: Json = {**known, "project": project, "work_item": item}
    keep_setting(tx, SETTING, made)
    tx.event("setting.changed", key=SETTING)
    return made


def finish(workspace: Workspace, demo: Demo) -> None:
    """Once the demo is over, give the coding agents back the runtimes that they had, and let models be asked again:
    the cassette holds no more."""
    known = workspace.setting(SETTING) or {}
    if known.get("runtimes") and is_over(workspace, demo):
        change_runtimes(workspace.folder / FILE, known["runtimes"])
        workspace.set(SETTING, {**known, "runtimes": {}})
        workspace.set(MODELS_OFF, False)


def runtimes_of(path: Path, roles: Iterable[str]) -> dict[str, str]:
    """What an `agents.yaml` says executes these agents. Raises ApmError for one that has no line for it."""
    text = path.read_text(encoding="utf-8")
    return {role: _runtime_line(path, text, role)["runtime"] for role in roles}


def change_runtimes(path: Path, runtimes: Mapping[str, str]) -> None:
    """Change the `runtime:` line of some agents, and nothing else of the file. Raises ApmError as `runtimes_of`."""
    before = text = path.read_text(encoding="utf-8")
    for role, runtime in runtimes.items():
        found = _runtime_line(path, text, role)
        text = f"{text[: found.start('runtime')]}{runtime}{text[found.end('runtime') :]}"
    if text != before:
        draft = path.with_name(path.name + ".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


def _runtime_line(path: Path, text: str, role: str) -> re.Match[str]:
    """From the agent's first line to its runtime's word, without passing the next agent's first line."""
    entry = rf"^ *- role: {re.escape(role)} *\n(?:(?! *- role:).*\n)*? *runtime: (?P<runtime>[\w-]+)"
    found = re.search(entry, text, re.MULTILINE)
    if found is None:
        raise ApmError(f"{path}: {role} has no `runtime:` line of its own; write one under it, then try again.")
    return found


def answer_open(tx: Transaction, work_item: int, asked: Counter[str]) -> int:
    """Answer every open question of a work item as it recommends; how many there were.

    `asked` counts, over calls, who asked where.

    Raises NeedsAPerson for a question that only a person can answer, ApmError for one that keeps coming back; both
    leave every question open.
    """
    found = reads_escalations.escalations(tx, work_item=work_item)
    for row in found:
        option = _recommended(row)
        place = f"{row.phase} {row.chain[-1] if row.chain else ''} {option} {row.kind}"
        asked[place] += 1
        if asked[place] > MOST_ANSWERS and row.kind != "decision":
            raise ApmError(f"The demo gave {option!r} {MOST_ANSWERS} times and it did not help: {row.question}")
        escalations.resolve(tx, row.id, option=option, by=BY, provenance="rule")
    return len(found)


def _recommended(row: rows.EscalationRow) -> str:
    option = next((o for o in row.options if o["key"] == row.recommended), None)
    if option is None or option.get("asks"):
        raise NeedsAPerson(
            f"Escalation {row.id} needs an answer that the demo cannot make up: {row.question} "
            f"`apm escalation show {row.id}` tells what to give."
        )
    return str(option["key"])
