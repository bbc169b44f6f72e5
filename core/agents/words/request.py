"""A `request.raw` as the agents read it: every field coerced, the body parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.agents.words.conditions import conditions
from core.agents.words.document import Document, Said, parse
from core.agents.words.text import as_text, brief

_TITLE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class RawRequest:
    """Fields as a person gave them; "" and 0 where nothing usable stands."""

    title: str
    type: str
    body: str
    tags: tuple[str, ...]
    impact: int

    @property
    def document(self) -> Document:
        return parse(self.body)

    @property
    def conditions(self) -> tuple[Said, ...]:
        return _conditions(self.body)


@lru_cache(maxsize=2)
def _conditions(body: str) -> tuple[Said, ...]:
    """Three agents of D1 ask for them: they are sought once."""
    return tuple(conditions(parse(body)))


def read_request(content: Any) -> RawRequest:
    """The request in `content`, whatever its fields hold: numbers, lists and None included."""
    fields = content if isinstance(content, dict) else {}
    tags = fields.get("tags")
    impact = fields.get("impact")
    return RawRequest(
        title=brief(as_text(fields.get("title")), _TITLE_CHARACTERS),
        type=as_text(fields.get("type")).strip().lower(),
        body=as_text(fields.get("body")),
        tags=tuple(filter(None, map(as_text, tags))) if isinstance(tags, list | tuple) else (),
        impact=int(impact) if isinstance(impact, int | float) and 0 <= impact <= 10 else 0,
    )
