"""What an action is."""

from __future__ import annotations

from typing import NamedTuple


class Action(NamedTuple):
    """One thing a person can do. `handler` is a Textual action; `{key}` in it stands for the key pressed."""

    id: str
    keys: tuple[str, ...]
    title: str
    description: str
    place: str
    handler: str
    footer: int = 0
    """Rank in the footer, lower first; 0 keeps it out."""
    palette: bool = True


DIGITS = tuple("123456789")
