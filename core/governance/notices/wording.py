"""What a notice says: subject and body made from what is recorded, clean, bounded, and without secrets. Pure functions.

A subject is one line. A body begins with what matters most, because some services take only a beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.contract import Json
from core.redaction import redact
from core.sanitise import one_line, sanitise
from core.store.rows_governance import ScopeProposalRow

SUBJECT_CHARACTERS = 120
BODY_CHARACTERS = 4_000
QUESTION_CHARACTERS = 1_500
NOTE_CHARACTERS = 500
LINE_CHARACTERS = 240
TITLE_CHARACTERS = 40
READ_CHARACTERS = 50_000
"""Of a text that is made clean: a question may be longer than anybody reads."""
MOST_LINES = 20
"""Of a list in a body."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told. `key` is the same whenever it is the same notice; `what` is one of `channels.SUBJECTS`.

    `moot` says why nobody needs to hear of it any more, where that is so.
    """

    key: str
    what: str
    subject: str
    body: str
    urgency: str | None = None
    escalation: int | None = None
    moot: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a notice says of a question. `recommended` is the key of one of the `options`."""

    id: int
    kind: str
    question: str
    urgency: str
    work_item: int | None
    phase: str | None
    chain: Sequence[Any]
    options: Sequence[Any]
    recommended: str | None
    due_at: int | None
    assigned_to: str | None
    note: str
    title: str = ""
    """Of its work item."""


def cleaned(text: str, limit: int) -> str:
    """`text` as it may be shown, without secrets, at most `limit` characters long; line ends stay."""
    return sanitise(redact(sanitise(_beginning(text))), limit=limit).strip()


def cleaned_line(text: str, limit: int = LINE_CHARACTERS) -> str:
    return one_line(redact(sanitise(_beginning(text))), limit)


def _beginning(text: str) -> str:
    """As much as is looked at, without a word that the cut went through: half a key is not known as one."""
    if len(text) <= READ_CHARACTERS:
        return text
    words = text[:READ_CHARACTERS].rsplit(maxsplit=1)
    return words[0] + " …" if len(words) == 2 else "…"


def subject(text: str) -> str:
    return cleaned_line(text, SUBJECT_CHARACTERS) or "Notice"


def body(paragraphs: Iterable[str]) -> str:
    """The paragraphs, a line between them; what is too long is cut, and says so."""
    return sanitise("\n\n".join(filter(None, paragraphs)), limit=BODY_CHARACTERS).strip()


def bullets(lines: Sequence[str], found: int | None = None) -> str:
    """A list of at most `MOST_LINES`, the rest of `found` counted."""
    shown = [f"- {cleaned_line(line)}" for line in lines[:MOST_LINES]]
    left = (len(lines) if found is None else found) - len(shown)
    return "\n".join([*shown, f"- and {left:,} more"] if left > 0 else shown)


def moment(at: int) -> str:
    """A moment (milliseconds) as people read it."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return "a moment that no calendar has"


def question_subject(head: str, asked: Asked) -> str:
    """`head` names the question and what is new about it: "IMMEDIATE question 12"."""
    about = f"#{asked.work_item} {cleaned_line(asked.title, TITLE_CHARACTERS)} · " if asked.title else ""
    return subject(f"{head}: {about}{asked.question}")


def question_body(asked: Asked, news: str = "") -> str:
    """The question, by when, what is recommended, and how it is answered. `news` is a sentence put before."""
    about = [f"Escalation {asked.id}", asked.kind, asked.urgency]
    if asked.work_item is not None:
        named = f"work item {asked.work_item}" + (f" ({asked.title})" if asked.title else "")
        about.append(named + (f", phase {asked.phase}" if asked.phase else ""))
    facts = [" · ".join(map(cleaned_line, about))]
    facts.append(f"Answer by {moment(asked.due_at)}" if asked.due_at is not None else "Waits for the next scope review")
    if asked.chain:
        facts.append("Came up through " + cleaned_line(" > ".join(map(str, asked.chain))))
    if asked.assigned_to:
        facts.append(f"Handed to {cleaned_line(asked.assigned_to)}")
    return body([news, cleaned(asked.question, QUESTION_CHARACTERS), "\n".join(facts), _answers(asked)])


def _answers(asked: Asked) -> str:
    """The recommendation and the commands, then the other answers: those may be many, and are what may be cut."""
    options = [option for option in asked.options if isinstance(option, Mapping) and option.get("key")]
    chosen = next((option for option in options if option["key"] == asked.recommended), None)
    lines = [] if chosen is None else [f"Recommended: {_option(chosen)}", ""]
    if chosen is not None and not chosen.get("asks"):
        lines.append(f"Take the recommendation: apm escalation resolve {asked.id} --recommended")
    lines.append(f"Give another answer: apm escalation resolve {asked.id} --option KEY --reason TEXT")
    lines.append(f"See all of it: apm escalation show {asked.id}")
    others = [_option(option) for option in options if option is not chosen]
    if others:
        lines += ["", "Other answers:" if chosen is not None else "Answers:", bullets(others)]
    return "\n".join(lines)


def _option(option: Mapping[str, Any]) -> str:
    key, label, consequence = (str(option.get(name, "")) for name in ("key", "label", "consequence"))
    return cleaned_line(f"{key} ({label}): {consequence}" if label != key else f"{key}: {consequence}")


def briefing_body(content: Json, at: int) -> str:
    """The stored briefing as the text that `apm briefing` prints. One that another apm kept is only pointed at."""
    from core.governance.briefing_document import Briefing
    from core.governance.briefing_text import as_text

    try:
        text = as_text(Briefing.from_json(content, at))
    except (KeyError, TypeError, ValueError):
        text = "It was kept in a form that this apm does not know; `apm briefing` makes one of this moment."
    return cleaned(text, BODY_CHARACTERS)


def proposal_line(row: ScopeProposalRow) -> str:
    record = f"{row.accepted} of {row.n} accepted as recommended" if row.n else "no record yet"
    return f"{row.id} {row.agent}: {row.change} of {row.kind} ({record}); recommended: {row.recommendation}"


def fault_body(fault: str) -> str:
    text = "Notices stay in the house until this is mended; what waits for the channel is sent then."
    return body([cleaned(fault, QUESTION_CHARACTERS), text, "apm doctor looks at all channels."])
