"""Which task waits for which, as the words of the tasks say it, and an order that respects it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.agents.words.numbering import split_label
from core.agents.words.text import content_stems

_REFERENCE = r"(?:t|task|step|#)[ #-]?\d{1,3}"
_IDS = re.compile(
    rf"\b(?:after|depends? on|requires?|needs|once|following|blocked by|waits? for|when)"
    rf" (?:the )?((?:{_REFERENCE})(?:(?:,? and |, |,| & | \+ )(?:{_REFERENCE}|\d{{1,3}}))*)(?!\w)",
    re.I,
)
_NUMBER = re.compile(r"\d{1,3}")
_WORDS = re.compile(
    r"\bdepends? on (?:the )?([^.;,()]{3,120})|\bonce (?:the )?([^.;,()]{3,120}?) (?:is|are|has been|have been) "
    r"(?:done|there|ready|merged|in place|finished|available|complete)|\brequires? (?:the )?([^.;,()]{3,120})",
    re.I,
)
_THEN = re.compile(r"^(?:then|next|finally|lastly|after that|afterwards)\b", re.I)
_END_OF_OBJECT = r"(?=$|[.,;:(]| (?:for|of|about|to|on|with|and|that|in|mentions?|describes?)\b)"
_AFTERWARDS = re.compile(
    r"^(?:update|write|extend|add|adapt|adjust|mention|describe|document|cover|test|complete)\b"
    r"(?: [\w-]+){0,5}? (?:docs?|documentation|readme|changelog|guide|manual|tests?|docstrings?|test suite)"
    rf"{_END_OF_OBJECT}"
    r"|^(?:the |a |every |all )?(?:[\w`-]+ ){0,4}?"
    r"(?:docs?|documentation|readme|changelog|guide|manual|usage page|tests?)"
    r" (?:[\w-]+ )?(?:documents?|describes?|explains?|mentions?|shows?|covers?|states?)\b"
    r"|(?:is|are) (?:documented|described|explained|covered by (?:[\w-]+ )?tests)\b"
    r"|^(?:document|test) (?:the|that|all|every|each|it|how|what|an?|both|with)\b"
    rf"|^(?:docs?|documentation|readme|changelog|tests?|unit tests?){_END_OF_OBJECT}",
    re.I,
)
_MOST_TASKS_COMPARED = 400


@dataclass(frozen=True, slots=True)
class Named:
    """A task as far as order goes: `number` its place in the request's numbered list, or 0."""

    id: str
    title: str
    number: int = 0


def stated_dependencies(tasks: Sequence[Named]) -> dict[str, dict[str, str]]:
    """{task: {task it waits for: the words that say so}}. An id that no task has is kept: the gate names it."""
    found: dict[str, dict[str, str]] = {}
    for at, task in enumerate(tasks):
        waits = dict(_by_id(task))
        waits.update(_by_words(task, tasks))
        if at and task.number and _THEN.match(task.title):
            waits.setdefault(tasks[at - 1].id, f"“{task.title.split()[0]}” in a numbered list")
        if waits:
            found[task.id] = waits
    return found


def comes_afterwards(title: str) -> bool:
    """Whether a task tests or describes what other tasks make."""
    return _AFTERWARDS.search(title) is not None


def order_of(ids: Sequence[str], depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """The ids so that each comes after what it waits for, else in their own order.

    Where tasks wait for each other in a circle, the wait that would close the circle does not count. `graphlib`
    only names the circle, and cutting circles one by one takes a time that a dense graph does not have.
    """
    known = set(ids)
    placed: dict[str, None] = {}
    for task in ids:
        path = {task: iter(depends_on.get(task, ()))} if task not in placed else {}
        while path:
            last = next(reversed(path))
            first = next((o for o in path[last] if o in known and o not in placed and o not in path), None)
            if first is None:
                placed[last] = None
                del path[last]
            else:
                path[first] = iter(depends_on.get(first, ()))
    return list(placed)


def _by_id(task: Named) -> Iterator[tuple[str, str]]:
    for match in _IDS.finditer(task.title):
        for number in _NUMBER.findall(match[1]):
            yield f"T{int(number)}", match[0]


def _by_words(task: Named, tasks: Sequence[Named]) -> Iterator[tuple[str, str]]:
    """Tasks whose title holds every meaningful word of "depends on …", "once … is done", "requires …"."""
    for match in _WORDS.finditer(task.title):
        wanted = content_stems(next(filter(None, match.groups())))
        named, _ = split_label(f"{match[0].split()[-1]}: x", "T")
        # "Requires a token" is rarely about a task; two words in common make it one.
        if named or len(wanted) < (2 if match[3] else 1):
            continue
        for other in tasks[:_MOST_TASKS_COMPARED]:
            if other.id != task.id and wanted <= content_stems(other.title):
                yield other.id, match[0]
