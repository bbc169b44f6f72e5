"""What a work item's branch changes: its files, and the diff of the one under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widget import Widget

from core.contract import ApmError
from core.projects import git
from core.projects.changes import (
    ChangedFile,
    Changes,
    Patch,
    Span,
    changes,
    patch_of,
    span_of,
)
from core.projects.git import Commit, GitError
from core.projects.worktrees import PREFIX
from core.sanitise import one_line
from core.store import reads
from core.store.reads import Connection
from core.store.rows import LiveRow, ProjectRow, WorkItemRow
from tui.actions import bindings
from tui.background import in_background
from tui.bridge import Change
from tui.screens.pane_screen import PaneScreen, PaneTabs
from tui.screens.work.diff_text import DiffView, file_cells, file_notes, overview, totals
from tui.text.words import Line, plural
from tui.widgets.columns import Column
from tui.widgets.document import Paragraph
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import Live
from tui.widgets.painted import PaintedLine
from tui.widgets.row_list import RowList
from tui.widgets.top_line import TopLine

MOST_COMMITS = 100
NO_CHANGE = "There is no change to step to."
MOST_KEPT = 50
"""Patches that are kept, for whoever goes to and fro."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the store knows of a work item's change."""

    item: WorkItemRow
    project: ProjectRow | None
    merge: str | None
    """The commit that released it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What git knows of it. `loose` is what lies in the worktree and no commit has; None without a worktree."""

    span: Span
    committed: Changes
    commits: tuple[Commit, ...]
    worktree: Path
    loose: Changes | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file, or the heading of a part: everything that is committed, or what is not."""

    part: str
    file: ChangedFile | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.part, "" if self.file is None else self.file.path


class Files(RowList[FileRow]):
    """Pane 1."""

    TITLE = "files"
    COLUMNS = (Column("", 10), Column("file", least=14), Column("", 6, right=True), Column("", 6, right=True, rank=1))
    summary = ""

    def copied(self) -> tuple[str, str] | None:
        """The diff of the file under the cursor."""
        view: DiffView = self.screen.query_one(DiffView)
        return view.copied()


class DiffHead(PaintedLine):
    """Number and title of the work item, and how much it changes."""

    subject: reactive[Subject | None] = reactive(None)
    found: reactive[Found | None] = reactive(None)

    def halves(self, width: int) -> tuple[Line, Line]:
        if self.subject is None:
            return (), ()
        item = self.subject.item
        about = f"  {one_line(self.found.span.about, 120)}" if self.found is not None else ""
        left: Line = ((f" #{item.id} ", "accent"), (one_line(item.title), "strong"), (about, "dim"))
        return left, (("  ", "text"), *totals(self.found.committed), (" ", "text")) if self.found is not None else ()


class Reader(Live, Widget):
    """Takes no room: it reads for the whole screen."""

    async def read_anew(self, change: Change) -> None:
        screen = cast("DiffScreen", self.screen)
        if change.everything or screen.work_item in change.work_items:
            await screen.read_changes()


class DiffScreen(PaneScreen):
    """Git is asked beside the event loop; what one goes past quickly is not waited for."""

    PLACES: ClassVar[tuple[str, ...]] = ("diff", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("diff")]
    PANES: ClassVar[tuple[str, ...]] = ("files", "patch")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {("files", 1): "patch", ("patch", -1): "files"}
    CSS_PATH = "../../styles/diff.tcss"

    def __init__(self, work_item: int) -> None:
        super().__init__()
        self.work_item = work_item
        self._found: Found | None = None
        self._patches: dict[tuple[str, str], Patch] = {}
        self._is_moved = self._is_showing = False
        self._has_nothing = False
        """Git has nothing to compare."""
        self._at_last = False
        """The file that comes next is entered from its end."""

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield DiffHead()
        yield PaneTabs()
        yield from self.body()
        yield Reader()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        files = Files(Files.COLUMNS, key=lambda r: r.key, cells=self._cells, widget_id="files", classes="pane")
        yield Horizontal(files, DiffView(widget_id="patch", classes="pane"))

    @property
    def start_pane(self) -> str:
        return "patch" if self._has_nothing else "files"

    async def read_changes(self) -> None:
        subject = await self.apm.bridge.read(lambda reader, live, _: read_subject(reader, self.work_item, live))
        if subject is None:
            self.apm.complain(f"There is no work item {self.work_item}.")
            self.dismiss()
            return
        head = self.query_one(DiffHead)
        head.subject = subject
        try:
            found = await find(subject, self.apm.workspace.state)
        except ApmError as error:
            self._show_nothing(str(error))
            return
        first, before, self._found, self._has_nothing = self._found is None, self._found, found, False
        head.found = found
        if before is None or before.span != found.span:
            self._patches.clear()
        self._patches = {key: patch for key, patch in self._patches.items() if key[0] == "committed"}
        self._show_files(found, first=first)
        self._show_row()
        self.refresh_titles()
        self.apm.show_keys()

    def _show_nothing(self, why: str) -> None:
        """The reason stands in the pane that has the room, which is gone to: a narrow screen shows one pane."""
        files = self.pane("files")
        self._has_nothing, self._found, self.query_one(DiffHead).found = True, None, None
        files.summary = ""
        files.empty = ((("No file.", "dim"),),)
        files.set_rows(())
        self.pane("patch").show_text([Paragraph(((one_line(why, 500), "dim"),))])
        self.go("patch")
        self.refresh_titles()
        self.apm.show_keys()

    def applies(self, action_id: str) -> bool | str:
        """Whether an action makes sense for what is shown; else why not."""
        return NO_CHANGE if action_id in ("diff.next", "diff.previous") and not self._has_files else True

    @property
    def _has_files(self) -> bool:
        found = self._found
        return found is not None and bool(found.committed.files or (found.loose and found.loose.files))

    def _show_files(self, found: Found, *, first: bool) -> None:
        files = self.pane("files")
        rows = [FileRow("committed"), *(FileRow("committed", file) for file in found.committed.files)]
        if found.loose is not None and found.loose.files:
            rows += [FileRow("loose"), *(FileRow("loose", file) for file in found.loose.files)]
        files.set_rows(rows)
        files.summary = plural(len(found.committed.files) + found.committed.left_out, "file")
        if first:
            files_of = [row for row in rows if row.file is not None]
            with_lines = (row for row in files_of if row.file is not None and (row.file.added or row.file.removed))
            start = next(with_lines, files_of[0] if files_of else rows[0])
            files.go_to(start.key)

    def _cells(self, row: FileRow) -> tuple[Line, ...]:
        if row.file is not None:
            return file_cells(row.file)
        if row.part == "loose":
            return (("◆", "ask"),), (("not committed", "ask"),), (), ()
        return (("", "text"),), (("the whole change", "strong"),), (), ()

    @on(RowList.Moved)
    def _moved(self, message: RowList.Moved) -> None:
        if message.rows.id == "files":
            self._show_row()

    @on(RowList.Opened)
    def _open(self, message: RowList.Opened) -> None:
        self.go("patch")

    def _show_row(self) -> None:
        """Of the rows that one goes past while git is asked, only the last is shown."""
        self._is_moved = True
        if not self._is_showing:
            self._is_showing = True
            in_background(self, self._show_until_still(), group="patch")

    async def _show_until_still(self) -> None:
        try:
            while self._is_moved and self.is_attached:
                self._is_moved = False
                await self._show(self.pane("files").row)
        finally:
            self._is_showing = False

    async def _show(self, row: FileRow | None) -> None:
        found, view = self._found, self.pane("patch")
        if row is None or found is None:
            return
        if row.file is None:
            view.TITLE = "the whole change"
            view.show_text(_loose_text(found) if row.part == "loose" else _overview(found))
        else:
            try:
                patch = await self._patch(found, row)
            except GitError as error:
                view.show_text([Paragraph(((one_line(str(error), 500), "bad"),))])
                return
            if self._is_moved:
                return
            view.TITLE = one_line(row.file.path, 120)
            at_last, self._at_last = self._at_last, False
            view.show_patch(file_notes(row.file, patch, _changes(found, row)), patch, at_last=at_last)
        view.summary = view.place
        self.refresh_titles()

    async def _patch(self, found: Found, row: FileRow) -> Patch:
        assert row.file is not None
        patch = self._patches.get(row.key)
        if patch is None:
            repo = found.worktree if row.part == "loose" else found.span.repo
            patch = self._patches[row.key] = await patch_of(repo, _changes(found, row), row.file)
            for key in list(self._patches)[:-MOST_KEPT]:
                del self._patches[key]
        return patch

    def action_hunk(self, direction: int) -> None:
        """The next place that changed; behind the last one of a file, the first one of the next file."""
        view, files = self.pane("patch"), self.pane("files")
        if not self._has_files:
            self.apm.tell(NO_CHANGE)
            return
        if view.step(direction):
            view.summary = view.place
            self.refresh_titles()
            return
        before = files.row
        self._at_last = direction < 0
        files.action_down(direction)
        if files.row == before:
            self._at_last = False
            self.apm.tell("That was the last change." if direction > 0 else "That was the first change.")


def _changes(found: Found, row: FileRow) -> Changes:
    return found.loose if row.part == "loose" and found.loose is not None else found.committed


def _overview(found: Found) -> list[Paragraph]:
    if not found.committed.files and not (found.loose and found.loose.files):
        return [*overview(found.span, found.committed, found.commits, None), Paragraph((("Nothing yet.", "dim"),))]
    return overview(found.span, found.committed, found.commits, found.loose)


def _loose_text(found: Found) -> list[Paragraph]:
    assert found.loose is not None
    told = f"{plural(len(found.loose.files), 'file')} changed in {found.worktree} and not committed."
    return [
        Paragraph(((one_line(told, 500), "text"),)),
        Paragraph((("An agent is at it, or left it behind; a release takes only what is committed.", "dim"),)),
    ]


def read_subject(reader: Connection, work_item: int, live: LiveRow) -> Subject | None:
    item = reads.work_item(reader, work_item, live=live)
    if item is None:
        return None
    project = None if item.facts.project is None else reads.project(reader, item.facts.project)
    released = [a for a in reads.artifacts(reader, work_item) if a.type == "release.deployed"]
    content = reads.artifact_content(reader, released[-1].id) if released else {}
    return Subject(item, project, str(content.get("merge_commit") or "") or None)


async def find(subject: Subject, state: Path) -> Found:
    """What git knows of the change. Raises GitError, in a sentence, when there is nothing to compare."""
    facts, project = subject.item.facts, subject.project
    if project is None:
        raise GitError("It has no project, so it has no branch and changes no files.")
    repo = Path(project.path)
    if not await asyncio.to_thread(repo.is_dir):
        raise GitError(f"{repo} is not there, so its changes cannot be shown; `apm project list` shows the projects.")
    span = await span_of(repo, branch=facts.branch, base=facts.base_commit, target=project.target, merge=subject.merge)
    committed = await changes(repo, span.base, span.head)
    commits = await git.commits(repo, span.base, span.head, limit=MOST_COMMITS)
    worktree = state / "worktrees" / project.name / (facts.branch or "").removeprefix(PREFIX)
    there = facts.branch is not None and await asyncio.to_thread((worktree / ".git").exists)
    return Found(span, committed, commits, worktree, await changes(worktree, "HEAD", None) if there else None)
