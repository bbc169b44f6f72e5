"""Lines into blocks: the one place that knows how Markdown, e-mail prose, tracebacks and Gherkin are laid out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.agents.words.document import CODE, ITEM, PARAGRAPH, ROW, SCENARIO, Block, Document, Said
from core.agents.words.gherkin import Steps, is_gherkin, opens_scenario
from core.agents.words.inline_lists import itemised
from core.agents.words.sections import CONTEXT, PROBLEM, UNNAMED, WHAT, kind_of_heading, kind_of_label
from core.agents.words.text import plain, word_set, words
from core.placeholders import is_placeholder

_FENCE = re.compile(r"^\s{0,8}(`{3,}|~{3,})\s*([\w+-]*)")
_ATX = re.compile(r"^ {0,3}(#{1,6})(?=\s)(.+)$|^ {0,3}(#{2,6})(?=\w)(.+)$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{3,})\s*$")
_RULE = re.compile(r"^ {0,3}(?:-{3,}|\*{3,}|_{3,}|=+)\s*$")
_BOLD_LINE = re.compile(r"^ {0,3}(?:\*\*([^*]{1,90})\*\*|__([^_]{1,90})__)\s*(:?)\s*$")
_LABEL = re.compile(r"^ {0,3}([*_]{0,2})([A-Za-z][\w ,/&'’()-]{0,60}?)(?::\1|\1 ?:)(?:\s+(.*))?$")
_ITEM = re.compile(r"^(\s*)([-*+•–]|\(?\d{1,3}[.)]|\(?[a-z]\))\s+(\[[ xX]\]\s+)?(\S.*)$")
_TABLE_RULE = re.compile(r"^[\s|:-]+$")
_TRACEBACK = "Traceback (most recent call last):"
_LOG_LINE = re.compile(r"^\s*\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_PROMPT = re.compile(r"^\s*>>> ")
_QUOTE_MARKS = re.compile(r"^(?: {0,3}>)+ ?")
_CHAINED = ("During handling of the above", "The above exception was")

_DEEP = ("    ", "\t")
_BOLD_LEVEL, _LABEL_LEVEL = 7, 8
_UNDERLINED_WORDS = 12
_TITLE_CHARACTERS, _TITLE_WORDS = 60, 6
_SAID = word_set(
    "i we you it they is are was were be been must shall should will would can could may might need needs want wants "
    "has have had do does did"
)
"""Words of a sentence: a line that has one is no title, unless all of it is a section's name."""
_RELABELLED = (UNNAMED, WHAT, CONTEXT, PROBLEM)
"""Sections in which an item's own label ("- Who: the support team") decides what it says."""


@dataclass(slots=True)
class _Section:
    level: int
    kind: str
    heading: str
    until_blank: bool = False
    """Opened by a label with words after it: a letter's "Deadline: Friday" says nothing about the next paragraph."""
    until_paragraph: bool = False
    """Opened by a label or a title alone: it ends with the list that follows it, not at the first blank line."""


@dataclass(slots=True)
class _Open:
    """The block that lines are being added to."""

    kind: str
    section: _Section
    lines: list[tuple[int, str]] = field(default_factory=list)
    indent: int = 0
    depth: int = 0
    marker: str = ""
    lead_in: str = ""


def _unquoted(line: str) -> str:
    """A mail's quoted line without its marks; three of them and a blank are Python's prompt."""
    return line if _PROMPT.match(line) else _QUOTE_MARKS.sub("", line)


def _without_margin(lines: list[str]) -> list[str]:
    """A body that is indented as a whole is no code."""
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    return [line[margin:] if line.strip() else "" for line in lines] if margin else lines


def _is_title(line: str) -> bool:
    """Whether a line that stands over a list names it, rather than saying something."""
    said = words(line)
    return line[:1].isupper() and line[-1:].isalnum() and len(said) <= _TITLE_WORDS and _SAID.isdisjoint(said)


class Scanner:
    """One pass over the lines of a body; `document()` is called once."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = _without_margin([_unquoted(line) for line in lines])
        self._at = 0
        self._last_comment_end = max((at for at, line in enumerate(lines) if "-->" in line), default=-1)
        self._no_scenario_before = 0
        self._blocks: list[Block] = []
        self._headings: list[Said] = []
        self._sections = [_Section(0, UNNAMED, "")]
        self._open: _Open | None = None
        self._indents: list[int] = []
        self._lead_in = ""
        self._blank_before = True

    def document(self) -> Document:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            blank = not line.strip()
            if blank:
                self._end_of_paragraph()
            elif not self._special(line):
                self._prose(line)
            self._blank_before = blank
            self._at += 1
        self._close()
        return Document(tuple(self._blocks), tuple(self._headings))

    def _special(self, line: str) -> bool:
        """Whether `line` was something else than prose, and then also what belongs to it has been read."""
        return (
            self._fence(line)
            or self._comment(line)
            or self._traceback(line)
            or self._scenario(line)
            or self._heading(line)
            or self._table(line)
            or self._indented_code(line)
        )

    def _fence(self, line: str) -> bool:
        match = _FENCE.match(line)
        if not match or "`" in line[match.end() :]:
            return False
        mark, first = match[1], self._at + 1
        end = first
        while end < len(self._lines) and not self._closes(self._lines[end], mark):
            end += 1
        inside = [(number + 1, self._lines[number]) for number in range(first, min(end, len(self._lines)))]
        self._at = min(end, len(self._lines) - 1)
        if is_gherkin(match[2], [text for _, text in inside]):
            self._close()
            for scenario in Steps.read(inside):
                self._add(SCENARIO, *scenario)
        elif inside:
            self._code(inside)
        return True

    @staticmethod
    def _closes(line: str, mark: str) -> bool:
        stripped = line.strip()
        return len(stripped) >= len(mark) and not stripped.strip(mark[0])

    def _comment(self, line: str) -> bool:
        if not line.lstrip().startswith("<!--") or self._at > self._last_comment_end:
            return False
        while self._at < len(self._lines) and "-->" not in self._lines[self._at]:
            self._at += 1
        return True

    def _traceback(self, line: str) -> bool:
        if not line.lstrip().startswith(_TRACEBACK):
            if not (_LOG_LINE.match(line) or _PROMPT.match(line) or line.startswith(_CHAINED)):
                return False
            self._code([(self._at + 1, line)])
            return True
        margin = len(line) - len(line.lstrip())
        end = self._at + 1
        while end < len(self._lines) and self._indent(self._lines[end]) > margin and self._lines[end].strip():
            end += 1
        end = min(end, len(self._lines) - 1)
        self._code([(number + 1, self._lines[number]) for number in range(self._at, end + 1)])
        self._at = end
        return True

    def _indented_code(self, line: str) -> bool:
        if not line.startswith(_DEEP) or not self._blank_before or self._indents or _ITEM.match(line):
            return False
        end = self._at + 1
        while end < len(self._lines) and self._lines[end].startswith(_DEEP):
            end += 1
        self._code([(number + 1, self._lines[number]) for number in range(self._at, end)])
        self._at = end - 1
        return True

    def _code(self, lines: list[tuple[int, str]]) -> None:
        self._close()
        self._add(CODE, "\n".join(text for _, text in lines), lines[0][0])

    def _heading(self, line: str) -> bool:
        atx = _ATX.match(line)
        if atx:
            self._open_section(len(atx[1] or atx[3]), (atx[2] or atx[4]).strip().rstrip("#").strip())
            return True
        if self._underline(line):
            return True
        bold = _BOLD_LINE.match(line)
        if bold:
            self._open_section(_BOLD_LEVEL, bold[1] or bold[2])
            return True
        return self._label(line) or self._bare_title(line)

    def _underline(self, line: str) -> bool:
        if not _RULE.match(line):
            return False
        title = self._open.lines[0][1] if self._in_paragraph() and self._open and len(self._open.lines) == 1 else ""
        if _UNDERLINE.match(line) and 0 < len(title.split()) <= _UNDERLINED_WORDS:
            self._open = None
            self._open_section(1 if "=" in line else 2, title, self._at)
        else:
            self._end_of_paragraph()
        return True

    def _label(self, line: str) -> bool:
        match = _LABEL.match(line[:2_000]) if self._starts_block(line) else None
        kind = kind_of_label(match[2]) if match else UNNAMED
        if not match or not kind:
            return False
        rest = line[match.start(3) :].strip() if match[3] else ""
        self._open_section(_LABEL_LEVEL, match[2], kind=kind)
        self._sections[-1].until_blank = bool(rest)
        self._sections[-1].until_paragraph = not rest
        if rest:
            self._open = _Open(PARAGRAPH, self._sections[-1], [(self._at + 1, rest)])
        return True

    def _bare_title(self, line: str) -> bool:
        """A section's name alone on its line. Any other short title that stands right over a list ends the section."""
        if len(line) > _TITLE_CHARACTERS or not (line[0].isalpha() or line.startswith(("*", "_", " "))):
            return False
        following = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
        over_list, title = _ITEM.match(following) is not None, plain(line)
        if not self._stands_free(line, over_list or not following.strip()) or title.endswith("."):
            return False
        if _RULE.match(following):
            return False
        kind, is_title = kind_of_label(title), over_list and _is_title(title)
        if is_title and not kind:
            kind = kind_of_heading(title)
        if not kind and not (is_title and self._sections[-1].until_paragraph and self._said_since_heading()):
            return False
        self._open_section(_LABEL_LEVEL, title, kind=kind)
        self._sections[-1].until_paragraph = True
        return True

    def _stands_free(self, line: str, ends_there: bool) -> bool:
        """Whether a line begins something new. Right under an item or over text, a small letter goes on with it."""
        if self._indents and line[0] == " ":
            return False
        if not ends_there and not line.lstrip(" *_")[:1].isupper():
            return False
        if self._blank_before or self._open is None:
            return True
        return self._open.kind == ITEM and ends_there and line[0].isupper()

    def _starts_block(self, line: str) -> bool:
        """Whether a label may stand here: under an item one that is not indented, within a paragraph a capital."""
        if self._open is None or self._open.section.level == _LABEL_LEVEL:
            return True
        return line[0] != " " if self._open.kind == ITEM else line.lstrip("*_")[:1].isupper()

    def _open_section(self, level: int, heading: str, line: int = 0, kind: str = UNNAMED) -> None:
        self._close()
        self._end_list()
        while len(self._sections) > 1 and self._sections[-1].level >= level:
            self._sections.pop()
        title = plain(heading).rstrip(":").strip()
        # A heading that says nothing to the table divides the section it stands in.
        self._sections.append(_Section(level, kind or kind_of_heading(title) or self._sections[-1].kind, title.lower()))
        self._headings.append(Said(title, line or self._at + 1))

    def _scenario(self, line: str) -> bool:
        if self._open and self._open.kind == PARAGRAPH and not line.lstrip().lower().startswith("scenario"):
            return False
        if self._at < self._no_scenario_before or not opens_scenario(self._lines, self._at):
            return False
        # What was tried once is not tried again from each of its lines: that would be quadratic.
        found, end, self._no_scenario_before = Steps.read_from(self._lines, self._at)
        if not found:
            return False
        self._close()
        for scenario in found:
            self._add(SCENARIO, *scenario)
        self._at = end - 1
        return True

    def _table(self, line: str) -> bool:
        if not line.lstrip().startswith("|"):
            return False
        self._close()
        columns: tuple[str, ...] = ()
        while self._at < len(self._lines) and self._lines[self._at].lstrip().startswith("|"):
            row = self._lines[self._at]
            following = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
            cells = tuple(plain(cell) for cell in row.strip().strip("|").split("|"))
            if following.lstrip().startswith("|") and _TABLE_RULE.match(following) and not columns:
                columns = tuple(cell.lower() for cell in cells)
            elif not _TABLE_RULE.match(row):
                self._add(ROW, " ".join(cells).strip(), self._at + 1, cells=cells, columns=columns)
            self._at += 1
        self._at -= 1
        return True

    def _prose(self, line: str) -> None:
        item = _ITEM.match(line)
        number = item[2].strip("().") if item else ""
        # Within a paragraph a number and a full stop are no list, unless it begins at 1 (as CommonMark has it).
        if item and not (self._in_paragraph() and number.isalnum() and number != "1"):
            self._item(item)
        elif self._open is not None and self._continues(self._open, line):
            self._open.lines.append((self._at + 1, line.strip()))
        else:
            self._paragraph(line)

    def _in_paragraph(self) -> bool:
        return self._open is not None and self._open.kind == PARAGRAPH

    def _continues(self, block: _Open, line: str) -> bool:
        return not self._blank_before or (block.kind == ITEM and self._indent(line) > block.indent)

    def _item(self, match: re.Match[str]) -> None:
        self._close()
        indent = self._indent(match[1] + "x")
        while self._indents and indent < self._indents[-1]:
            self._indents.pop()
        if not self._indents or indent > self._indents[-1] + 1:
            self._indents.append(indent)
        section, marker, words = self._sections[-1], (match[3] or match[2]).strip(), match[4]
        if section.until_blank:
            section.until_blank, section.until_paragraph = False, True
        label = _LABEL.match(words[:2_000]) if section.kind in _RELABELLED else None
        kind = kind_of_label(label[2]) if label and label[3] else UNNAMED
        if label and kind:
            section, words = _Section(_LABEL_LEVEL, kind, label[2].strip().lower()), words[label.start(3) :]
        depth = len(self._indents) - 1
        self._open = _Open(ITEM, section, [(self._at + 1, words)], indent, depth, marker, self._lead_in)

    def _paragraph(self, line: str) -> None:
        self._close()
        self._end_list()
        while self._sections[-1].until_paragraph and self._answered_since_heading():
            self._sections.pop()
        self._open = _Open(PARAGRAPH, self._sections[-1], [(self._at + 1, line.strip())])

    def _said_since_heading(self) -> bool:
        return bool(self._blocks) and self._blocks[-1].line > self._headings[-1].line

    def _answered_since_heading(self) -> bool:
        """Whether the section that a label opened already has its list, or says that it has nothing to say."""
        return self._said_since_heading() and (
            self._blocks[-1].kind != PARAGRAPH or is_placeholder(self._blocks[-1].text)
        )

    def _end_of_paragraph(self) -> None:
        if self._in_paragraph():
            self._close()
        while self._sections[-1].until_blank:
            self._sections.pop()

    def _end_list(self) -> None:
        self._indents, self._lead_in = [], ""

    @staticmethod
    def _indent(line: str) -> int:
        spaces = line[: len(line) - len(line.lstrip())]
        return len(spaces.expandtabs(4))

    def _close(self) -> None:
        block, self._open = self._open, None
        if block is None:
            return
        starts: list[tuple[int, int]] = []
        parts: list[str] = []
        offset = 0
        for number, text in block.lines:
            part = plain(text)
            if part:
                starts.append((offset, number))
                parts.append(part)
                offset += len(part) + 1
        if not parts:
            return
        text = " ".join(parts)
        if block.kind == PARAGRAPH:
            self._lead_in = text if text.endswith(":") else ""
        section = block.section
        made = Block(
            block.kind, section.kind, section.heading, text, tuple(starts), block.depth, block.marker, block.lead_in
        )
        self._blocks += itemised(made)

    def _add(
        self, kind: str, text: str, line: int, *, cells: tuple[str, ...] = (), columns: tuple[str, ...] = ()
    ) -> None:
        section = self._sections[-1]
        if text:
            self._blocks.append(
                Block(kind, section.kind, section.heading, text, ((0, line),), cells=cells, columns=columns)
            )
