"""What a branch changes against its base: the files, and the patch of each as values, read from git and bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.projects import git
from core.projects.commands import CommandResult, Limits
from core.projects.git import GitError
from core.projects.own_work import own_base
from core.sanitise import one_line

MOST_FILES = 2_000
"""Of one list; more of them nobody reads."""
LIST_BYTES = 8 * 2**20
PATCH_BYTES = 2**20
PATCH_LINES = 5_000
SECONDS = 30.0
BIG_FILE = "8m"
"""Larger files are taken as binary: a patch of one would be cut to nothing after much work."""

_COMPARE = (
    *("-c", f"core.bigFileThreshold={BIG_FILE}", "diff", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--no-relative", "--find-renames", "--submodule=short", "--ignore-submodules=dirty"),
)
"""Whatever the user's own settings of `git diff` are: no program of theirs is run, and the form is always the same."""

STATUSES = {
    "A": "added",
    "C": "copied",
    "D": "removed",
    "M": "changed",
    "R": "renamed",
    "T": "retyped",
    "U": "in conflict",
}
NO_FILE = "000000"
"""The mode of a side on which there is no file."""
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)", re.DOTALL)
_GAP = re.compile(r"\n\[[\d,]+ bytes dropped here\]\n")
"""Where `core.projects.commands` dropped the middle of an output. Inside a hunk every line begins with a sign."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that differs. `added` and `removed` count lines, None where git sees no text; `status` is of `STATUSES`,
    or "new" for a file that git does not know yet. Modes are octal, as git writes them."""

    path: str
    status: str
    added: int | None
    removed: int | None
    old_path: str | None = None
    old_mode: str = NO_FILE
    new_mode: str = NO_FILE

    @property
    def is_binary(self) -> bool:
        return self.added is None

    @property
    def changes_mode(self) -> bool:
        return NO_FILE not in (self.old_mode, self.new_mode) and self.old_mode != self.new_mode


@dataclass(frozen=True, slots=True)
class Changes:
    """The files that differ between two commits; without a `head`, between a commit and what lies in the worktree."""

    base: str
    head: str | None
    files: tuple[ChangedFile, ...] = ()
    left_out: int = 0
    """How many files there are beyond `MOST_FILES`."""
    added: int = 0
    removed: int = 0
    """Lines of all the files, also of those that are left out."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a hunk: `sign` is " ", "+" or "-"; `ends` is False for a file's last line that has no line end."""

    sign: str
    old: int | None
    new: int | None
    text: str
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Hunk:
    """A place that changed, with the lines around it. `heading` is what git names the place by."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    heading: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class Patch:
    """A file's part of a diff. Not `whole`: the text ended inside it, or it has more lines than were asked for."""

    header: tuple[str, ...]
    hunks: tuple[Hunk, ...]
    whole: bool = True
    is_new: bool = False
    """Git does not track the file yet."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is compared with what in which repository, and in words why these two."""

    repo: Path
    base: str
    head: str
    about: str


async def span_of(repo: Path, *, branch: str | None, base: str | None, target: str, merge: str | None) -> Span:
    """The commits between which a work item's change lies: its merge and what that was merged into, else its branch
    and where that left the target.

    Raises GitError when there is neither, or git knows them no more.
    """
    if merge:
        head = await git.head(repo, merge)
        return Span(repo, await git.head(repo, f"{head}^1"), head, f"merged into {target} as {head[:12]}")
    if not branch or not base:
        raise GitError("It has no branch yet: the engine makes one when its first phase begins.")
    if not await git.branch_exists(repo, branch):
        raise GitError(f"{repo} has no branch {one_line(branch)} any more, so what it changed cannot be shown.")
    head = await git.head(repo, f"refs/heads/{branch}")
    since = await own_base(repo, {"branch": branch, "base_commit": base, "target": target}, head)
    return Span(repo, since, head, f"{branch} since it left {target} at {since[:12]}")


async def changes(repo: Path, base: str, head: str | None) -> Changes:
    """The files that differ; without a `head` those of the worktree, the ones that git does not know yet among them.

    Raises GitError when git refuses, and when there are too many files to list.
    """
    words = [*_COMPARE, "--raw", "--no-abbrev", "--numstat", "-z", "--end-of-options", base]
    result = await _git(repo, [*words, *((head,) if head is not None else ()), "--"], LIST_BYTES)
    if result.truncated:
        raise GitError(f"Too many files of {repo} differ to list them; `git diff --stat` there counts them.")
    files = [*parse_files(result.stdout), *([] if head is not None else await _unknown_files(repo))]
    return Changes(
        base,
        head,
        tuple(files[:MOST_FILES]),
        left_out=max(len(files) - MOST_FILES, 0),
        added=sum(file.added or 0 for file in files),
        removed=sum(file.removed or 0 for file in files),
    )


async def patch_of(repo: Path, found: Changes, file: ChangedFile) -> Patch:
    """The patch of one of the files, at most `PATCH_BYTES` and `PATCH_LINES` of it."""
    if file.status == "new":
        words = [*_COMPARE, "--no-index", "--end-of-options", "/dev/null", file.path]
    else:
        paths = dict.fromkeys((file.old_path or file.path, file.path))
        commits = [found.base, *((found.head,) if found.head is not None else ())]
        words = [*_COMPARE, "--patch", "--unified=3", "--inter-hunk-context=0", "--end-of-options", *commits, "--"]
        words += paths
    # Head and tail of an output are kept, half of the limit each: it is the head that is read.
    result = await _git(repo, words, 2 * PATCH_BYTES, fine=(0, 1) if file.status == "new" else (0,))
    patch = _chosen(parse_patches(_head(result)), file)
    return replace(patch, whole=patch.whole and not result.truncated, is_new=file.status == "new")


async def _unknown_files(repo: Path) -> list[ChangedFile]:
    """What lies in the worktree untracked and not ignored; their lines are counted when their patch is read."""
    found = await git.git(repo, "ls-files", "--others", "--exclude-standard", "-z")
    return [ChangedFile(path, "new", 0, 0) for path in found.split("\0") if path and not path.endswith("/")]


async def _git(repo: Path, words: Sequence[str], most_bytes: int, fine: tuple[int, ...] = (0,)) -> CommandResult:
    result = await git.git_result(repo, *words, limits=Limits(SECONDS, most_bytes))
    if result.timed_out:
        raise GitError(f"git diff in {repo} took longer than {SECONDS:g} s and was stopped.")
    if result.exit_code not in fine:
        raise GitError(f"git diff failed in {repo}: {one_line(result.stderr or result.stdout, 300)}")
    return result


def _head(result: CommandResult) -> str:
    """The output up to where something was dropped, in whole lines."""
    gap = _GAP.search(result.stdout) if result.truncated else None
    return result.stdout if gap is None else result.stdout[: gap.start()].rpartition("\n")[0]


def _chosen(found: Sequence[Patch], file: ChangedFile) -> Patch:
    """The file's own patch: a path that was a file and is a folder now names what lies in the folder as well."""
    if file.old_path is not None:
        moved = [p for p in found if any(line.startswith(("rename from ", "copy from ")) for line in p.header)]
        found = moved or found
    return found[0] if found else Patch((), ())


def parse_files(text: str) -> list[ChangedFile]:
    """The output of `git diff --raw --numstat -z`: first how each file changed, then how many lines of each."""
    words = iter(text.split("\0"))
    found: dict[str, ChangedFile] = {}
    for word in words:
        if word.startswith(":"):
            file = _raw_file(word, words)
            found[file.path] = file
        elif word:
            added, removed, path = word.split("\t", 2)
            if not path:
                next(words)
                path = next(words)
            if path in found:
                found[path] = replace(found[path], added=_count(added), removed=_count(removed))
    return list(found.values())


def _raw_file(word: str, words: Iterator[str]) -> ChangedFile:
    old_mode, new_mode, _, _, letter = word[1:].split(" ", 4)
    first = next(words)
    moved = letter[0] in "RC"
    path = next(words) if moved else first
    return ChangedFile(path, STATUSES.get(letter[0], "changed"), 0, 0, first if moved else None, old_mode, new_mode)


def _count(word: str) -> int | None:
    return None if word == "-" else int(word)


def parse_patches(text: str, most_lines: int = PATCH_LINES) -> tuple[Patch, ...]:
    """The patches in a unified diff, file by file, up to so many lines of hunks in all."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    made: list[Patch] = []
    header: list[str] = []
    hunks: list[Hunk] = []
    at = 0
    while at < len(lines):
        match = _HUNK.fullmatch(lines[at])
        if match is None:
            if hunks or (header and lines[at].startswith("diff ")):
                made.append(Patch(tuple(header), tuple(hunks)))
                header, hunks = [], []
            header.append(lines[at])
            at += 1
            continue
        hunk, at, whole = _hunk(lines, at + 1, match, most_lines)
        hunks.append(hunk)
        most_lines -= len(hunk.lines)
        if not whole:
            return (*made, Patch(tuple(header), tuple(hunks), whole=False))
    return (*made, Patch(tuple(header), tuple(hunks))) if header or hunks else tuple(made)


def patch_text(patch: Patch) -> str:
    """The patch as git writes it."""
    made = list(patch.header)
    for hunk in patch.hunks:
        span = f"-{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count}"
        made.append(f"@@ {span} @@ {hunk.heading}".rstrip(" "))
        for line in hunk.lines:
            made.append(line.sign + line.text)
            if not line.ends:
                made.append("\\ No newline at end of file")
    return "".join(f"{line}\n" for line in made)


def _hunk(lines: Sequence[str], at: int, match: re.Match[str], most: int) -> tuple[Hunk, int, bool]:
    """The hunk whose lines begin at `at`, where the next one begins, and whether all its lines are there."""
    old, old_count, new, new_count = (1 if n is None else int(n) for n in match.groups()[:4])
    span = (old, old_count, new, new_count)
    old_end, new_end = old + old_count, new + new_count
    made: list[DiffLine] = []
    while at < len(lines) and (old < old_end or new < new_end or lines[at].startswith("\\")):
        # With diff.suppressBlankEmpty an empty line has no sign.
        sign, text = lines[at][:1] or " ", lines[at][1:]
        if sign == "\\":
            if made:
                made[-1] = replace(made[-1], ends=False)
        elif sign not in " +-" or len(made) >= most:
            break
        else:
            made.append(DiffLine(sign, old if sign != "+" else None, new if sign != "-" else None, text))
            old, new = old + (sign != "+"), new + (sign != "-")
        at += 1
    return Hunk(*span, match[5], tuple(made)), at, old >= old_end and new >= new_end
