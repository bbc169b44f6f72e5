"""A section between two marks in a file that belongs to somebody else: the rest of it stays byte for byte as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

BEGIN = "<!-- apm:begin -->"
END = "<!-- apm:end -->"


class BrokenMarks(ValueError):
    """Marks that do not enclose one section. The message says which lines they stand on."""


@dataclass(frozen=True, slots=True)
class Split:
    """A file around its section. `section` is None in a file that has none; `newline` is the file's own."""

    before: str
    section: str | None
    after: str
    newline: str


def split(text: str) -> Split:
    """The file in parts; `section` is what stands between the marks, with LF line ends. Raises BrokenMarks."""
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text.removeprefix(mark))
    begins = [n for n, line in enumerate(lines) if line.strip() == BEGIN]
    ends = [n for n, line in enumerate(lines) if line.strip() == END]
    if not begins and not ends:
        return Split(text, None, "", newline)
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        stand = ", ".join(f"{lines[n].strip()} on line {n + 1}" for n in sorted(begins + ends))
        raise BrokenMarks(f"needs {BEGIN} once and {END} once after it, and has {stand}")
    begin, end = begins[0], ends[0]
    section = "".join(lines[begin + 1 : end]).replace("\r\n", "\n")
    return Split(mark + "".join(lines[:begin]), section, "".join(lines[end + 1 :]), newline)


def joined(parts: Split, section: str) -> str:
    """The file with this section in the place of its own, or at its end where it had none."""
    block = f"{BEGIN}\n{section}{END}\n".replace("\n", parts.newline)
    if parts.section is not None:
        return parts.before + block + parts.after
    if not parts.before.removeprefix("\ufeff"):
        return parts.before + block
    blank = parts.newline * 2
    gap = "" if parts.before.endswith(blank) else parts.newline if parts.before.endswith("\n") else blank
    return parts.before + gap + block
