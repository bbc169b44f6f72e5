"""What a change says on the screen: the lines of a file's patch with their numbers, and a summary of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from core.projects.changes import PATCH_LINES, ChangedFile, Changes, DiffLine, Hunk, Patch, Span, patch_text
from core.projects.git import Commit
from core.sanitise import one_line, sanitise
from tui.text.words import FILE_MARKS, UNKNOWN, Line, plural
from tui.widgets.document import BLANK, Document, Paragraph, heading

LINE_CHARACTERS = 1_000
"""Of one line; no screen is wider."""
TAB = 4
ONE_NUMBER_BELOW = 60
"""Cells of width below which a line bears one number: its own side's."""
SIGNS = {"+": "good", "-": "bad", " ": "faint"}
TINTS = {"good": "success", "bad": "error"}
TINT = 0.12
SYMLINK, SUBMODULE, PROGRAM = "120000", "160000", "100755"


@dataclass(frozen=True, slots=True)
class PatchLine:
    """A line of a patch: exactly one line of the screen, cut where it is too long."""

    line: DiffLine
    digits: int

    def wrapped(self, width: int) -> list[Line]:
        tone = SIGNS[self.line.sign]
        words = "text" if self.line.sign != " " else "dim"
        numbers = [self.line.old, self.line.new] if width >= ONE_NUMBER_BELOW else [self.line.new or self.line.old]
        gutter = " ".join(f"{'' if n is None else n:>{self.digits}}" for n in numbers)
        # The empty span in front says which side the line is of, for its background.
        ends: Line = () if self.line.ends else (("  no line end", "faint"),)
        return [
            (("", tone), (f" {gutter} ", "faint"), (f"{self.line.sign} ", tone), (shown(self.line.text), words), *ends)
        ]


@dataclass(frozen=True, slots=True)
class HunkLine:
    """The line above a place that changed."""

    hunk: Hunk
    is_current: bool

    def wrapped(self, width: int) -> list[Line]:
        hunk = self.hunk
        where = f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@"
        mark = "▌" if self.is_current else " "
        return [(("", "run"), (mark, "accent"), (where, "run"), (f" {shown(hunk.heading)}", "dim"))]


def shown(text: str) -> str:
    """A line of a file as it may be drawn: tabs as spaces, a carriage return at its end as a mark."""
    body = text.removesuffix("\r")
    cut = body[: LINE_CHARACTERS + 1]
    clean = sanitise(cut, limit=len(cut)).replace("\n", " ").expandtabs(TAB)
    clean = clean[:LINE_CHARACTERS] + "…" if len(clean) > LINE_CHARACTERS else clean
    return clean + ("␍" if body is not text else "")


class DiffView(Document):
    """Pane 2: the patch of the file under the cursor. Places that changed are stepped through."""

    TITLE = "diff"
    summary = ""

    def __init__(self, *, widget_id: str | None = None, classes: str | None = None) -> None:
        super().__init__(widget_id=widget_id, classes=classes)
        self.patch: Patch | None = None
        self._notes: list[Paragraph] = []
        self._current = 0

    def show_patch(self, notes: list[Paragraph], patch: Patch, *, at_last: bool = False) -> None:
        """A patch, from its first place that changed or from its last."""
        if (notes, patch) == (self._notes, self.patch):
            return
        self._notes, self.patch = notes, patch
        self._current = max(len(patch.hunks) - 1, 0) if at_last else 0
        self._draw(from_top=True)
        if at_last and self._current:
            self._go_there()

    def show_text(self, paragraphs: list[Paragraph]) -> None:
        self._notes, self.patch = [], None
        self.show(paragraphs, from_top=True)

    def step(self, direction: int) -> bool:
        """To the next place that changed, or the one before; False when there is none further on."""
        to = self._current + direction
        if self.patch is None or not 0 <= to < len(self.patch.hunks):
            return False
        self._current = to
        self._draw(from_top=False)
        self._go_there()
        return True

    @property
    def place(self) -> str:
        """Which of the places that changed is the current one."""
        count = len(self.patch.hunks) if self.patch is not None else 0
        return f"change {self._current + 1} of {count}" if count else ""

    def _draw(self, *, from_top: bool) -> None:
        assert self.patch is not None
        hunks = self.patch.hunks
        highest = max((max(h.old_start + h.old_count, h.new_start + h.new_count) for h in hunks), default=0)
        made: list[Paragraph | PatchLine | HunkLine] = list(self._notes)
        for n, hunk in enumerate(hunks):
            made.append(HunkLine(hunk, n == self._current and len(hunks) > 1))
            made += [PatchLine(line, len(str(highest))) for line in hunk.lines]
        self.show(made, from_top=from_top)  # type: ignore[arg-type]

    def _go_there(self) -> None:
        """The current place on top, with the line above it for whoever wants to know where they come from."""
        lines = [n for n, line in enumerate(self._lines) if line and line[0] == ("", "run")]
        if self._current < len(lines):
            self.scroll_to(y=max(lines[self._current] - 1, 0), animate=False, force=True)

    def strip(self, line: Line, width: int, base: Style) -> Strip:
        side = TINTS.get(line[0][1], "") if line and not line[0][0] else ""
        return super().strip(line, width, base + self._behind(side))

    def copied(self) -> tuple[str, str] | None:
        """The patch as git writes it, without what is said about it."""
        if self.patch is None:
            return super().copied()
        return patch_text(self.patch), f"the diff of {self.TITLE}"

    def _behind(self, side: str) -> Style:
        variables = self.app.theme_variables
        # A terminal's own sixteen colours cannot be mixed.
        if not side or self.app.current_theme.ansi:
            return Style()
        return Style(bgcolor=tint(variables["surface"], variables[side]))


@cache
def tint(behind: str, colour: str) -> RichColor:
    """So little of a colour that text on it reads as well as beside it."""
    return Color.parse(behind).blend(Color.parse(colour), TINT).rich_color


def file_notes(file: ChangedFile, patch: Patch, found: Changes) -> list[Paragraph]:
    """What is to be said of a file besides its lines."""
    said: list[str] = []
    if file.old_path is not None:
        said.append(f"{file.status} from {one_line(file.old_path, 300)}")
    if file.status == "new":
        said.append("Git does not know this file yet.")
    if file.changes_mode:
        said.append(f"mode {file.old_mode} is now {file.new_mode}{_mode_words(file)}")
    if SYMLINK in (file.new_mode, file.old_mode):
        said.append("A symbolic link: its text is where it points to.")
    if SUBMODULE in (file.new_mode, file.old_mode):
        said.append("A submodule: its text is the commit it stands on.")
    if file.is_binary or (not patch.hunks and any(line.startswith("Binary files") for line in patch.header)):
        said.append("Git shows no text of it: it is binary, or larger than 8 MB.")
    elif not patch.hunks:
        said.append("None of its lines changed." if file.status != "in conflict" else "A merge of it is not finished.")
    if not patch.whole:
        whole = f"git diff {found.base[:12]} {(found.head or '')[:12]}".rstrip()
        said.append(f"Only its first {PATCH_LINES:,} lines or 1 MB stand here; `{whole}` shows all of it.")
    return [Paragraph(((line, "ask" if "Only its first" in line else "dim"),)) for line in said]


def _mode_words(file: ChangedFile) -> str:
    if PROGRAM not in (file.old_mode, file.new_mode):
        return ""
    return ": it can be run" if file.new_mode == PROGRAM else ": it cannot be run any more"


def overview(span: Span, found: Changes, commits: Sequence[Commit], loose: Changes | None) -> list[Paragraph]:
    """All of the change in short: what is compared, how much of it there is, and the commits it came in."""
    made = [Paragraph(((one_line(span.about, 300), "text"),)), Paragraph(totals(found), 2)]
    if found.left_out:
        made.append(Paragraph(((f"{plural(found.left_out, 'more file')} left out of the list.", "ask"),)))
    if loose is not None and loose.files:
        said = f"{plural(len(loose.files), 'file')} in its worktree not committed"
        made.append(Paragraph((("◆ ", "ask"), (said, "ask"))))
    made += [BLANK, heading(plural(len(commits), "commit"))] if commits else []
    for commit in commits:
        told: Line = ((f"{commit.sha[:8]} ", "run"), (one_line(commit.subject, 200), "text"))
        made.append(Paragraph((*told, (f"  {one_line(commit.author, 60)}", "dim")), 9))
    return made


def totals(found: Changes) -> Line:
    return (
        (plural(len(found.files) + found.left_out, "file"), "text"),
        (f"  +{found.added}", "good"),
        (f"  -{found.removed}", "bad"),
    )


def file_cells(file: ChangedFile) -> tuple[Line, ...]:
    """Status, name before folder, and how many lines came and went."""
    mark = FILE_MARKS.get(file.status, UNKNOWN)
    folder, _, name = one_line(file.path, 500).rpartition("/")
    if file.is_binary:
        counts: tuple[Line, Line] = ((("binary", "dim"),), ())
    else:
        more, less = file.added or 0, file.removed or 0
        counts = ((f"+{more}", "good"),) if more else (), ((f"-{less}", "bad"),) if less else ()
    return mark.line(), ((name, "text"), (f"  {folder}" if folder else "", "faint")), *counts
