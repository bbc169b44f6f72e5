"""Writing a new work item: the raw request from which everything follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widget import Widget

from core.sanitise import one_line
from core.store import reads
from tui.questions.forms import NotReadable
from tui.screens.dialogs.form import Form, Label
from tui.widgets.fields import Area, Field
from tui.widgets.picker import Picker

if TYPE_CHECKING:
    from core.store.transaction import Transaction
    from tui.app import ApmApp

TYPES = ("feature", "bug", "chore", "spike", "docs")
NO_PROJECT = "none"
NO_IMPACT = "not said"


@dataclass(frozen=True, slots=True)
class Request:
    """What was written."""

    title: str
    type: str
    project: int | None
    impact: int | None
    body: str


class NewWorkItem(Form[Request]):
    """Its answer is the request; the work item is made by the one who asked for it."""

    title_text = "New work item"
    draft_key = "new"

    def __init__(self, projects: Sequence[tuple[int, str]]) -> None:
        super().__init__()
        self._projects: dict[str, int] = {}
        for number, name in projects:
            shown = one_line(name, 40)
            self._projects[f"{shown} #{number}" if shown in self._projects else shown] = number

    def fields(self) -> Iterable[Widget]:
        yield Label("title", "what shall be different afterwards")
        yield Field(widget_id="title")
        yield Label("type")
        yield Picker(TYPES, widget_id="type")
        yield Label("project")
        yield Picker((*self._projects, NO_PROJECT), widget_id="project")
        yield Label("impact", "10 is the greatest; above 8 every decision comes to you at once")
        yield Picker((NO_IMPACT, *(str(n) for n in range(1, 11))), widget_id="impact")
        yield Label("request", "why, for whom, what must hold when done, what could go wrong")
        yield Area(9, widget_id="body")

    def made(self) -> Request:
        from core.orchestration.work_items import titled

        typed = self.typed()
        if not typed["title"].strip():
            raise NotReadable("Give it a title.")
        impact = None if typed["impact"] == NO_IMPACT else int(typed["impact"])
        return Request(
            titled(typed["title"]), typed["type"], self._projects.get(typed["project"]), impact, typed["body"]
        )


async def write_work_item(app: ApmApp) -> None:
    """Ask for a request, and make a work item of it that may start at once: a person wrote it."""
    projects = await app.bridge.read(lambda reader, *_: [(p.id, p.name) for p in reads.projects(reader)])

    def made() -> None:
        app.drafts.pop(NewWorkItem.draft_key, None)

    def create(request: Request | None) -> None:
        if request is None:
            return

        def work(tx: Transaction) -> None:
            from core.orchestration import work_items

            number = work_items.create(
                tx,
                title=request.title,
                type=request.type,
                body=request.body,
                project=request.project,
                impact=request.impact,
            )
            work_items.accept(tx, number, app.person)

        app.do(work, f"On its way: {one_line(request.title, 60)}", made)

    app.push_screen(NewWorkItem(projects), create)
