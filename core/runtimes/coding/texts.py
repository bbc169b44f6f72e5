"""Files as text and back without a byte changed that nobody meant to change, and text as material for a model."""

from __future__ import annotations

import codecs
import difflib
import re
from dataclasses import dataclass

from core.runtimes.coding.confinement import Refused
from core.runtimes.models.material import Clean, between_marks
from core.sanitise import one_line, sanitise

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)", re.S)
KEY_LINE = "[a line of a private key]"


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text with `\\n` for its line ends, and what it takes to write it as it was."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""
    ends: str = "\n"

    def encoded(self, text: str) -> bytes:
        """Another text in this file's encoding and line ends. Raises Refused for a character it cannot hold."""
        try:
            return self.mark + text.replace("\n", self.ends).encode(self.encoding)
        except UnicodeEncodeError as error:
            wrong = one_line(repr(text[error.start : error.end]), 20)
            raise Refused(f"The file is in {self.encoding}, which has no {wrong}; do without it.") from error


def decode(content: bytes, name: str) -> Text:
    """The text of a file. Raises Refused for one that holds none.

    What is neither marked nor valid UTF-8 is read byte by byte (Latin-1), which gives every byte back unchanged.
    """
    mark, encoding = next(((m, e) for m, e in _MARKS if content.startswith(m)), (b"", "utf-8"))
    body = content[len(mark) :]
    if b"\0" in body and not encoding.startswith("utf-16"):
        raise Refused(f"{one_line(name)} is binary; only text can be read and edited.")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        mark, encoding = b"", "latin-1"
        text = content.decode(encoding)
    bare = text.replace("\r\n", "")
    if "\r\n" in text and "\n" not in bare and "\r" not in bare:
        return Text(text.replace("\r\n", "\n"), encoding, mark, "\r\n")
    return Text(text, encoding, mark)


def visible_lines(text: str, clean: Clean) -> list[str]:
    """The lines as a model may see them, each with the number it has in the file."""
    text = _KEY.sub(lambda found: "\n".join(KEY_LINE for _ in found.group().split("\n")), text)
    lines = text.split("\n")
    cleaned = clean(text).split("\n")
    if len(cleaned) != len(lines):
        cleaned = [clean(line) for line in lines]
    return [_line(line) for line in cleaned]


def _line(line: str) -> str:
    """What can be seen of a line; its tabs stay, since an edit has to name them."""
    return "\t".join(sanitise(part, limit=len(part), keep_newlines=False) for part in line.split("\t"))


def material(title: str, text: str, limit: int, clean: Clean) -> str:
    """A tool's result: our words about it, and the material between marks."""
    shown = sanitise(clean(text), limit=len(text) + 1_000)
    if len(shown) > limit:
        half = limit // 2
        shown = f"{shown[:half]}\n[{len(shown) - 2 * half:,} characters left out here]\n{shown[-half:]}"
    return f"{title}\n{between_marks(shown)}"


def patch(path: str, before: str, after: str, limit: int) -> str:
    """The unified diff of a write, at most about `limit` characters: its beginning."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    found: list[str] = []
    size = 0
    for line in lines:
        found.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
        size += len(line)
        if size > limit:
            found.append("[the rest of the diff is left out]\n")
            break
    return sanitise("".join(found), limit=limit + 2_000)


def removal(path: str, content: bytes, limit: int) -> str:
    """The diff of a file's removal; of one that is no text, only that it was there."""
    try:
        return patch(path, decode(content, path).text, "", limit)
    except Refused:
        return f"Binary file a/{path} of {len(content):,} bytes is removed\n"
