"""The tools at work: what each does in the worktree, and what it says about it. Blocking parts run in threads."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.contract import Json
from core.paths import real
from core.projects import git
from core.projects.commands import Limits as CommandLimits
from core.projects.sandbox import Place, Sandbox
from core.redaction import MARK
from core.runtimes.coding.confinement import WHOLE, Found, Refused, Tree, digest
from core.runtimes.coding.declared import Commands
from core.runtimes.coding.limits import Limits
from core.runtimes.coding.searching import LINE_CHARACTERS, MOST_LINES, Hit, find_pattern, find_text
from core.runtimes.coding.texts import Text, decode, material, patch, removal, visible_lines
from core.runtimes.models.material import Clean, placeless
from core.sanitise import one_line, sanitise

LISTED = 400
"""Files that a listing names; beyond that, folders with their numbers of files."""
SEARCHED_BYTES = 20_000_000
"""Of all files of one search together."""
CHANGES = ("edit", "write", "remove", "move")
"""Tools that change files."""
OUTPUT_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool answers the model. `evidence` is of a command that ran, for the journal and not for the model."""

    text: str
    failed: bool = False
    evidence: Json | None = None


Digests = Mapping[str, str | None]
"""By path, what a file holds; None where there is none."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is planned for some files and not done yet: how they stand before it, and how after it.

    `content` is what is written; None where a file is removed or moved.
    """

    before: Digests
    after: Digests
    diff: str
    told: str
    content: bytes | None = None

    def intent(self) -> Json:
        """The change as it is put on record before it is done."""
        sizes = {"bytes": len(self.content or b"")}
        return {"before": dict(self.before), "after": dict(self.after), "diff": self.diff, "told": self.told} | sizes


@dataclass
class Ledger:
    """What the task has used of its limits, counted from what is on record."""

    paths: set[str] = field(default_factory=set)
    written: int = 0
    commands: int = 0


@dataclass(frozen=True)
class Workbench:
    """One worktree with all that its tools need."""

    tree: Tree
    clean: Clean
    limits: Limits
    commands: Commands
    sandbox: Sandbox
    place: Place
    ledger: Ledger = field(default_factory=Ledger)

    async def list_files(self, given: Json) -> Outcome:
        """Files by path; folders with their number of files where there are too many."""
        folder = self.tree.path(str(given.get("path", "")))
        files = await self._files(folder)
        if not files:
            return Outcome(f"There is no file below {one_line(folder) or 'the top'}.", failed=True)
        lines = files if len(files) <= LISTED else _folded(files, folder)
        return self._material(f"{len(files):,} files below {one_line(folder) or 'the top'}:", "\n".join(lines))

    async def read(self, given: Json) -> Outcome:
        """The lines asked for, numbered, as many as fit."""
        path = self.tree.path(given["path"])
        lines = await asyncio.to_thread(self._lines, path)
        first = given.get("from_line", 1)
        last = min(given.get("to_line", len(lines)), len(lines))
        if first > last:
            raise Refused(f"{one_line(path)} has {len(lines):,} lines; there are none from {first} to {last}.")
        shown: list[str] = []
        room = self.limits.result_characters
        for number in range(first, last + 1):
            line = f"{number}\t{lines[number - 1]}"
            room -= len(line) + 1
            if room < 0 and shown:
                break
            shown.append(line)
        last = first + len(shown) - 1
        more = f"; go on with from_line {last + 1}" if last < len(lines) else ""
        return self._material(f"{one_line(path)}, lines {first} to {last} of {len(lines):,}{more}:", "\n".join(shown))

    async def search(self, given: Json) -> Outcome:
        """Lines that hold the pattern, with file and number; of a limited number of bytes."""
        pattern, folder = str(given["pattern"]), self.tree.path(str(given.get("path", "")))
        if not pattern or "\n" in pattern:
            raise Refused("The pattern must be a part of one line, and not empty.")
        files, left_out = await asyncio.to_thread(self._texts, await self._files(folder))
        # Taking secrets out is slow: it is done to the files that hold the pattern, and they are searched again.
        hits = await self._find(pattern, files, given)
        shown = {path: await asyncio.to_thread(self._lines, path) for path in dict.fromkeys(hit[0] for hit in hits)}
        found = await self._find(pattern, shown, given) if hits else []
        note = f" ({left_out:,} files that are large, binary or beyond the limit were not searched)" if left_out else ""
        if not found:
            return Outcome(f"No line in {len(files):,} files has it{note}.")
        lines = [f"{path}:{number}:{one_line(line, LINE_CHARACTERS)}" for path, number, line in found]
        more = "the first " if len(found) >= MOST_LINES else ""
        return self._material(f"{more}{len(found)} lines{note}:", "\n".join(lines))

    async def _find(self, pattern: str, files: Mapping[str, Sequence[str]], given: Json) -> Sequence[Hit]:
        if given.get("regex"):
            return await find_pattern(pattern, files, self.limits.search_seconds)
        return await asyncio.to_thread(find_text, pattern, files)

    async def planned(self, name: str, given: Json) -> Change:
        """What one of CHANGES would do. Raises Refused when it may not, or when it is not clear."""
        path = self.tree.writable_path(given["path"])
        if name in ("edit", "write"):
            return await asyncio.to_thread(self._rewritten, name, path, given)
        if path not in self.ledger.paths and path not in await git.tracked_files(self.tree.root):
            raise Refused(f"{one_line(path)} is no file of the project's, nor did you write it; leave it where it is.")
        if name == "remove":
            return await asyncio.to_thread(self._removed, path)
        return await asyncio.to_thread(self._moved, path, self.tree.writable_path(given["to"]))

    def _rewritten(self, name: str, path: str, given: Json) -> Change:
        there = self.tree.read(path, self.limits.file_bytes)
        if there is None and name == "edit":
            raise Refused(f"There is no file {one_line(path)}; `write` makes one.")
        old = decode(there.content, path) if there else Text("")
        new = _edited(old.text, given, path) if name == "edit" else str(given["content"]).replace("\r\n", "\n")
        if new.count(MARK) > old.text.count(MARK):
            raise Refused(
                f"The text holds {MARK}, which stands for something secret that was not shown to you. Written, it "
                "would take the secret's place; leave those lines out of what you change."
            )
        content = old.encoded(new)
        if there is not None and content == there.content:
            raise Refused(f"{one_line(path)} holds exactly this already; nothing would change.")
        self._check_room(path, len(content))
        diff = patch(path, old.text, new, self.limits.diff_characters)
        told = f"{one_line(path)} is {'written' if there else 'made'}: {new.count(chr(10)):,} lines."
        return Change({path: there.digest if there else None}, {path: digest(content)}, diff, told, content)

    def _removed(self, path: str) -> Change:
        there = self._whole(path)
        self._check_room(path, 0)
        diff = removal(path, there.content, self.limits.diff_characters)
        return Change({path: there.digest}, {path: None}, diff, f"{one_line(path)} is removed.")

    def _moved(self, path: str, to: str) -> Change:
        there = self._whole(path)
        self.tree.check_free(to)
        self._check_room(to, 0)
        diff, told = f"rename from {path}\nrename to {to}\n", f"{one_line(path)} is {one_line(to)} now."
        return Change({path: there.digest, to: None}, {path: None, to: there.digest}, diff, told)

    def _whole(self, path: str) -> Found:
        found = self.tree.read(path, WHOLE)
        if found is None:
            raise Refused(f"There is no file {one_line(path)}; list the folder.")
        return found

    def standing(self, paths: Iterable[str]) -> Digests:
        """What is there now, asked of the files themselves."""
        found = {path: self.tree.read(path, WHOLE) for path in paths}
        return {path: there.digest if there else None for path, there in found.items()}

    def apply(self, change: Change) -> None:
        """Do it. Raises Refused when the files are not what they were when the change was planned."""
        (path, before), *others = change.before.items()
        if change.content is not None:
            self.tree.write(path, change.content, before=before)
        elif before is not None and others:
            self.tree.move(path, others[0][0], before=before)
        elif before is not None:
            self.tree.remove(path, before=before)

    async def run(self, given: Json) -> Outcome:
        """The command's exit code and output, and its evidence."""
        command = self.commands.by_name.get(given["command"])
        if command is None:
            known = ", ".join(sorted(self.commands.by_name)) or "none"
            raise Refused(f"No command {one_line(repr(given['command']), 60)} is declared; there are {known}.")
        if self.ledger.commands >= self.limits.commands:
            raise Refused(f"Commands were run {self.limits.commands} times, which is the limit; end with `done`.")
        argv = command.given(given.get("arguments", []), self.tree)
        limits = CommandLimits(self.commands.seconds, OUTPUT_BYTES)
        result = await self.sandbox.run(argv, self.place, limits=limits, env=self.commands.env)
        self.ledger.commands += 1
        evidence = result.evidence(tool=command.name)
        evidence["output_tail"] = await asyncio.to_thread(self.clean, evidence["output_tail"])
        ended = f"exit code {result.exit_code}" if result.exit_code is not None else result.note or "not started"
        title = f"{command.name}: {ended}, {result.seconds:g} s"
        shown = placeless(result.output, self._places())
        text = await asyncio.to_thread(material, title, shown, self.limits.result_characters, self.clean)
        return Outcome(text, not result.ok and result.exit_code is None, evidence)

    def _material(self, title: str, text: str) -> Outcome:
        # Lines were cleaned one by one already, where a key that spans several of them is still known for one.
        return Outcome(material(title, text, self.limits.result_characters * 2, lambda clean: clean))

    def _places(self) -> tuple[Path, ...]:
        """The worktree's folder under the names by which a command may know it."""
        return (self.tree.root, real(self.tree.root))

    async def _files(self, folder: str) -> list[str]:
        """What git tracks or would take in, at or below a path; names that a model may not even read are left out."""
        found = await git.listed_files(self.tree.root)
        below = [path for path in found if not folder or path == folder or path.startswith(f"{folder}/")]
        return sorted(path for path in below if sanitise(path, keep_newlines=False) == path)

    def _lines(self, path: str) -> list[str]:
        return visible_lines(self._text(path), self.clean)

    def _text(self, path: str) -> str:
        found = self.tree.read(path, self.limits.file_bytes)
        if found is None:
            raise Refused(f"There is no file {one_line(path)}; list the folder.")
        return decode(found.content, path).text.removesuffix("\n")

    def _texts(self, paths: list[str]) -> tuple[dict[str, list[str]], int]:
        found: dict[str, list[str]] = {}
        room, left_out = SEARCHED_BYTES, 0
        for path in paths:
            try:
                lines = self._text(path).split("\n") if room > 0 else None
            except Refused:
                lines = None
            if lines is None:
                left_out += 1
            else:
                found[path] = lines
                room -= sum(map(len, lines))
        return found, left_out

    def _check_room(self, path: str, size: int) -> None:
        if size > self.limits.file_bytes:
            raise Refused(
                f"{one_line(path)} would have {size:,} bytes; at most {self.limits.file_bytes:,} are written."
            )
        if path not in self.ledger.paths and len(self.ledger.paths) >= self.limits.files:
            raise Refused(f"{self.limits.files} files were written, which is the limit of one task.")
        if self.ledger.written + size > self.limits.written_bytes:
            raise Refused(
                f"More than {self.limits.written_bytes:,} bytes were written, which is the limit of one task."
            )


def _edited(text: str, given: Json, path: str) -> str:
    old, new = given["old"].replace("\r\n", "\n"), given["new"].replace("\r\n", "\n")
    if not old:
        raise Refused("`old` is empty; `write` replaces a whole file.")
    times = text.count(old)
    if times == 0:
        raise Refused(
            f"The old text was found 0 times in {one_line(path)}. It must be what the file holds, blanks included; "
            "secrets and invisible characters are not shown to you, so leave lines with them out."
        )
    if times > 1:
        raise Refused(f"The old text was found {times} times in {one_line(path)}; give more of what is around it.")
    return text.replace(old, new)


def _folded(files: list[str], folder: str) -> list[str]:
    """The files that lie directly in the folder, and each folder below it with its number of files."""
    depth = len(PurePosixPath(folder).parts) if folder else 0
    counted = Counter(
        "/".join(parts[: depth + 1]) + ("/" if len(parts) > depth + 1 else "")
        for parts in (PurePosixPath(path).parts for path in files)
    )
    lines = [f"{name} ({number:,} files)" if name.endswith("/") else name for name, number in sorted(counted.items())]
    return lines[: LISTED * 2]
