"""Human decisions as JSON: the shape of the document. `parse` gives what it says, or every problem with its index.

Whether the words fit the workspace (which numbers there are, what is legal) is `core.governance.human_decisions`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.contract import Json, UsageError
from core.governance import strict_json
from core.governance.persons import MOST_REASON
from core.registry.documents import did_you_mean
from core.sanitise import one_line, sanitise

MOST_BYTES = 64 * 2**20
MOST_ENTRIES = 2_000
"""They are applied in one transaction, which holds up every other write for some seconds."""
MOST_DEPTH = 32
MOST_NUMBER = 2**63 - 1
SHOWN_PROBLEMS = 20
MOST_TOLD = 2_000
"""Characters of one problem."""


@dataclass(frozen=True, slots=True)
class EntryProblem:
    """What is wrong with the entry at `index`, counted from 0; with None, with the document as a whole."""

    index: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.index is None else f"decisions[{self.index}]: {self.text}"

    def told(self) -> str:
        """The same for a list of problems: what takes several lines goes on indented."""
        return sanitise(str(self), limit=MOST_TOLD).strip().replace("\n", "\n    ")


class DecisionsRejected(UsageError):
    """A decisions document of which nothing was done; the message has a line for each of the first problems."""

    def __init__(self, problems: Sequence[EntryProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: -1 if p.index is None else p.index))
        lines = [problem.told() for problem in self.problems[:SHOWN_PROBLEMS]]
        if len(self.problems) > SHOWN_PROBLEMS:
            lines.append(f"… and {len(self.problems) - SHOWN_PROBLEMS} more")
        super().__init__("\n".join(lines))


class NotWhole(DecisionsRejected):
    """The text is no JSON document, or not yet: whoever writes it may not have come to its end."""

    def __init__(self, why: str) -> None:
        super().__init__([EntryProblem(None, f"the decisions are not JSON: {why}")])


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    escalation: int
    option: str
    reason: str = ""
    answer: Any = None
    digest: str | None = None
    """Of what the person was shown."""

    @property
    def about(self) -> str:
        return f"escalation {self.escalation}"


@dataclass(frozen=True, slots=True)
class ScopeEntry:
    scope_proposal: int
    option: str
    reason: str = ""
    digest: str | None = None

    @property
    def about(self) -> str:
        return f"scope proposal {self.scope_proposal}"


@dataclass(frozen=True, slots=True)
class GrantEntry:
    agent: str
    kind: str
    mode: str
    reason: str

    @property
    def about(self) -> str:
        return f"{self.agent}'s authority over {self.kind}"


@dataclass(frozen=True, slots=True)
class ReversalEntry:
    reversal: int
    reason: str
    choice: str | None = None

    @property
    def about(self) -> str:
        return f"decision {self.reversal}"


Entry = AnswerEntry | ScopeEntry | GrantEntry | ReversalEntry


@dataclass(frozen=True, slots=True)
class Document:
    """`digest` is of the document's bytes: the same file is known again by it."""

    decided_by: str
    entries: tuple[Entry, ...]
    digest: str


def parse(text: str) -> Document:
    """What the text decides. Raises DecisionsRejected with every problem of its shape; NotWhole when it is no JSON."""
    value = _read(text)
    if not isinstance(value, dict):
        raise _rejected('the document must be an object: {"decided_by": NAME, "decisions": [...]}')
    problems = [EntryProblem(None, fault) for fault in _faults(value, _DOCUMENT, "the document")]
    found = value.get("decisions")
    listed: list[Any] = found if isinstance(found, list) else []
    if len(listed) > MOST_ENTRIES:
        raise _rejected(f"the document has {len(listed)} decisions; {MOST_ENTRIES} are the most")
    entries: list[Entry] = []
    for index, entry in enumerate(listed):
        faults, kind = _entry_faults(entry)
        problems += [EntryProblem(index, fault) for fault in faults]
        if kind is not None and not faults:
            entries.append(kind.make(entry))
    if problems:
        raise DecisionsRejected(problems)
    return Document(one_line(value["decided_by"]), tuple(entries), text_digest(text))


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _rejected(why: str) -> DecisionsRejected:
    return DecisionsRejected([EntryProblem(None, why)])


def _read(text: str) -> Any:
    """The JSON value, once it is certain that it is bounded and says everything only once."""
    try:
        return strict_json.read(text, characters=MOST_BYTES, depth=MOST_DEPTH)
    except strict_json.NotJson as error:
        raise NotWhole(str(error).removeprefix("is not JSON: ")) from None
    except strict_json.RefusedJson as error:
        raise _rejected(f"the document {error}") from None


def shown(value: Any) -> str:
    """A value from the document as a message may show it: one short line."""
    return one_line(json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else repr(value), 60)


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of an object: what it must be, in words and as a test, and whether it may be left out."""

    wants: str
    holds: Callable[[Any], bool]
    optional: bool = False


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_NUMBER


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64 and value == one_line(value)


def _is_reason(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_REASON


def _is_stated(value: Any) -> bool:
    return _is_reason(value) and bool(one_line(value))


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _one_of(*words: str) -> _Key:
    return _Key(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


_NUMBER = _Key("a number from 1", _is_number)
_WORD = _Key("a key of at most 64 characters", _is_word)
_REASON = _Key(f"a text of at most {MOST_REASON} characters", _is_reason, optional=True)
_STATED = _Key(f"a text that says why, of at most {MOST_REASON} characters", _is_stated)
_DIGEST = _Key("the digest that was shown: 64 hexadecimal digits", _is_digest, optional=True)
_VALUES = _Key("an object with the values that the option asks for", lambda v: v is None or isinstance(v, dict), True)

_DOCUMENT: Mapping[str, _Key] = {
    "decided_by": _Key("the name of whoever decided", _is_stated),
    "decisions": _Key("a list of at least one decision", lambda value: isinstance(value, list) and bool(value)),
}
_GRANT: Mapping[str, _Key] = {"agent": _WORD, "kind": _WORD, "mode": _one_of("autonomous", "escalate")}


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of entry: the keys it has, and the value it becomes."""

    keys: Mapping[str, _Key]
    make: Callable[[Json], Entry]


def _answer(entry: Json) -> Entry:
    return AnswerEntry(**_cleaned(entry))


def _scope(entry: Json) -> Entry:
    return ScopeEntry(**_cleaned(entry))


def _grant(entry: Json) -> Entry:
    return GrantEntry(**entry["authority"], reason=_cleaned(entry)["reason"])


def _reversal(entry: Json) -> Entry:
    return ReversalEntry(**_cleaned(entry))


def _cleaned(entry: Json) -> Json:
    return {**entry, "reason": sanitise(entry.get("reason", ""), limit=MOST_REASON).strip()}


_KINDS: Mapping[str, _Kind] = {
    "escalation": _Kind(
        {"escalation": _NUMBER, "option": _WORD, "reason": _REASON, "answer": _VALUES, "digest": _DIGEST}, _answer
    ),
    "scope_proposal": _Kind(
        {
            "scope_proposal": _NUMBER,
            "option": _one_of("approve", "reject", "clarify"),
            "reason": _REASON,
            "digest": _DIGEST,
        },
        _scope,
    ),
    "authority": _Kind(
        {"authority": _Key("an object with agent, kind and mode", lambda v: isinstance(v, dict)), "reason": _STATED},
        _grant,
    ),
    "reversal": _Kind(
        {"reversal": _NUMBER, "reason": _STATED, "choice": _Key(_WORD.wants, _is_word, optional=True)}, _reversal
    ),
}
"""What an entry may be about, by the key that says so."""


def _entry_faults(entry: Any) -> tuple[list[str], _Kind | None]:
    """What is wrong with an entry's shape, and what kind of entry it is as far as that can be told."""
    if not isinstance(entry, dict):
        return [f"is {shown(entry)}; a decision is an object"], None
    subjects = [key for key in _KINDS if key in entry]
    if len(subjects) > 1:
        return [f"speaks of {' and of '.join(subjects)}; an entry decides one thing"], None
    if not subjects:
        near = next((hint for key in entry if (hint := did_you_mean(key[:64], _KINDS))), "")
        return [f"names nothing to decide; it needs one of {', '.join(_KINDS)}{near}"], None
    kind = _KINDS[subjects[0]]
    faults = _faults(entry, kind.keys, f"an entry with {subjects[0]}")
    if not faults and subjects[0] == "authority":
        faults = [f"authority: {fault}" for fault in _faults(entry["authority"], _GRANT, "it")]
    return faults, kind


def _faults(value: Json, keys: Mapping[str, _Key], what: str) -> list[str]:
    """Unknown keys, missing ones and wrong values of an object, each in a sentence."""
    unknown = [key for key in value if key not in keys]
    hints = {key: did_you_mean(key[:64], keys) for key in unknown[:SHOWN_PROBLEMS]}
    known = f"; {what} has {', '.join(keys)}"
    faults = [f"{shown(key)} is not a key known here{hint or known}" for key, hint in hints.items()]
    for name, key in keys.items():
        if name not in value:
            misspelt = any(repr(name) in hint for hint in hints.values())
            faults += [] if key.optional or misspelt else [f"{name!r} is missing; it must be {key.wants}"]
        elif not key.holds(value[name]):
            faults.append(f"{name!r} is {_found(value[name])}; it must be {key.wants}")
    return faults


def _found(value: Any) -> str:
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, str) and len(value) > 60:
        return f"a text of {len(value)} characters"
    return shown(value)
