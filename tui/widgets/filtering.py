"""What a person types to filter a list, and which rows it lets through."""

from __future__ import annotations

Words = tuple[tuple[str, ...], tuple[str, ...]]
"""The words a row must hold and those it must not, casefolded."""


def filter_words(text: str) -> Words:
    """A word after `!` is refused; a bare `!` says nothing."""
    words = text.casefold().split()
    wanted = tuple(w for w in words if not w.startswith("!"))
    return wanted, tuple(w[1:] for w in words if w.startswith("!") and len(w) > 1)


def lets_through(words: Words, text: str) -> bool:
    wanted, refused = words
    text = text.casefold()
    return all(w in text for w in wanted) and not any(w in text for w in refused)
