"""A briefing to read: its Markdown painted, with what it names as links, and what became of sending it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.governance.briefing_document import Briefing
from core.governance.briefing_text import as_markdown
from core.sanitise import one_line
from core.store.rows_governance import NotificationRow
from tui.subjects import Ref
from tui.text.event_words import noun
from tui.text.markdown import Block, blocks
from tui.text.moments import exact_moment
from tui.text.words import Line, Mark, Span
from tui.widgets.document import BLANK, Paragraph, heading
from tui.widgets.painted import plain

OUTCOMES: Mapping[str | None, Mark] = {
    "sent": Mark("✓", "sent", "good"),
    "failed": Mark("✗", "failed", "bad"),
    "suppressed": Mark("·", "not needed", "dim"),
    None: Mark("●", "under way", "run"),
}
"""What became of a notice."""


@dataclass(frozen=True, slots=True)
class Link:
    """Something that a line names. `paragraph` is the number of that line."""

    ref: Ref
    paragraph: int


@dataclass(frozen=True, slots=True)
class Page:
    """A briefing as it is painted."""

    paragraphs: tuple[Paragraph, ...]
    links: tuple[Link, ...]


def page_of(found: Briefing, notices: Sequence[NotificationRow] | None = None, current: int = -1) -> Page:
    """`current` is the number of the link that is in hand. `notices` are those of a briefing on record."""
    made: list[Paragraph] = []
    links: list[Link] = []
    titles: list[Paragraph] = []
    items = iter([item for section in found.sections for item in (section.lines or (None,))])
    for block in blocks(as_markdown(found)):
        if block.kind != "bullet":
            # The lines of a section stand right below its heading: a screen has fewer lines than a page.
            if block.kind != "blank" or not made or made[-1] not in titles:
                made.append(_paragraph(block))
            titles += made[-1:] if block.kind == "heading" and block.level > 1 else []
            continue
        item = next(items)
        if item is None:
            made.append(Paragraph(((" · ", "faint"), (plain(block.line), "dim")), 3))
            continue
        refs = tuple(item.refs.items())
        in_hand = current - len(links) if 0 <= current - len(links) < len(refs) else -1
        spans = _linked(block.line, refs, in_hand)
        links += [Link(ref, len(made)) for ref in refs]
        lead: Span = (" › ", "accent") if in_hand >= 0 else (" · ", "faint")
        made.append(Paragraph((lead, *spans), 3))
    return Page((*made, *_sending(notices)), tuple(links))


def _paragraph(block: Block) -> Paragraph:
    if block.kind == "heading":
        tone = "strong" if block.level == 1 else "accent"
        return Paragraph(((plain(block.line), tone),))
    return Paragraph(block.line)


def _linked(line: Line, refs: Sequence[Ref], in_hand: int) -> Line:
    """The line with what it names in another tone; what it names by no word of its own stands behind it."""
    text = plain(line)
    places: list[tuple[int, int, int]] = []
    behind: list[Span] = []
    for n, ref in enumerate(refs):
        found = _place(text, ref)
        if found is not None and all(found[1] <= start or found[0] >= end for start, end, _ in places):
            places.append((*found, n))
        else:
            behind += [("  ", "text"), (f"{noun(ref[0])} {one_line(str(ref[1]), 60)}", _tone(n == in_hand))]
    spans: list[Span] = []
    at = 0
    for start, end, n in sorted(places):
        spans += [(text[at:start], "text"), (text[start:end], _tone(n == in_hand))]
        at = end
    return (*((piece, tone) for piece, tone in (*spans, (text[at:], "text")) if piece), *behind)


def _tone(in_hand: bool) -> str:
    return "loud" if in_hand else "run"


def _place(text: str, ref: Ref) -> tuple[int, int] | None:
    """Where a line names it: `#12`, `work item 7`, `7 Title`, `proposal 3`, `technical`."""
    for words in _words(ref):
        start = text.find(words)
        end = start + len(words)
        if start >= 0 and not text[end : end + 1].isalnum() and not text[max(start - 1, 0) : start].isalnum():
            return start, end
    if ref[0] == "work_item" and text.startswith(f"{ref[1]} "):
        return 0, len(str(ref[1]))
    return None


def _words(ref: Ref) -> Iterator[str]:
    name, number = ref
    if name == "escalation":
        yield f"#{number}"
    yield str(number) if isinstance(number, str) else f"{noun(name)} {number}"


def _sending(notices: Sequence[NotificationRow] | None) -> list[Paragraph]:
    if notices is None:
        return []
    made = [BLANK, heading("Sent")]
    if not notices:
        return [*made, Paragraph(((" · ", "faint"), ("It was kept, and not sent.", "dim")), 3)]
    for notice in notices:
        mark = OUTCOMES.get(notice.outcome) or Mark("·", one_line(str(notice.outcome), 20), "dim")
        when = f"  {exact_moment(notice.outcome_at)}" if notice.outcome_at is not None else ""
        why = f"  {one_line(notice.error, 300)}" if notice.error else ""
        line: Line = (
            (f" {mark.glyph} {mark.word} ", mark.tone),
            (one_line(notice.channel, 60), "text"),
            (when + why, "dim"),
        )
        made.append(Paragraph(line, 3))
    return made
