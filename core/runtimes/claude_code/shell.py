"""A shell's line, read far enough to know whether it is plain; what is not plain is never taken for harmless."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NOTHING_LOST = re.compile(r"(2>&1|(?:[12]|&)?>\s?/dev/null)(?=$|[\s;|&])")
"""Redirections that only bring output together or throw it away; anywhere else a redirection is not plain."""

_SEPARATORS = ("&&", "||", ";", "|", "\n")
_MEANS_MORE = frozenset("$`\\*?[]{}~#!()<>&")


@dataclass(frozen=True, slots=True)
class Line:
    """Simple commands in their order, as words. `plain`: the shell makes nothing else of them."""

    commands: tuple[tuple[str, ...], ...]
    plain: bool


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.commands: list[list[str]] = [[]]
        self.word: list[str] | None = None
        self.plain = True

    def read(self) -> Line:
        while self.at < len(self.text):
            self._step(self.text[self.at])
        self._end_word()
        return Line(tuple(tuple(words) for words in self.commands if words), self.plain)

    def _step(self, char: str) -> None:
        if char in "'\"":
            self._quoted(char)
            return
        if self.word is None and (match := _NOTHING_LOST.match(self.text, self.at)):
            self.at = match.end()
            return
        separator = next((s for s in _SEPARATORS if self.text.startswith(s, self.at)), "")
        if separator:
            self._end_word()
            self.commands.append([])
            # A second line is where a harmless first one stops being looked at.
            self.plain &= separator != "\n"
        elif char in " \t":
            self._end_word()
        else:
            # Beyond ASCII a letter may look like another one, and a space like none.
            self.plain &= char not in _MEANS_MORE and "!" <= char <= "~"
            self._add(char)
        self.at += max(len(separator), 1)

    def _quoted(self, mark: str) -> None:
        end = self.text.find(mark, self.at + 1)
        inner = self.text[self.at + 1 : end if end >= 0 else len(self.text)]
        self.plain &= end >= 0 and not (mark == '"' and re.search(r"[$`\\!]", inner))
        self.plain &= all(char == "\n" or char.isprintable() for char in inner)
        self._add(inner)
        self.at = end + 1 if end >= 0 else len(self.text)

    def _add(self, text: str) -> None:
        self.word = [*(self.word or []), text]

    def _end_word(self) -> None:
        if self.word is not None:
            self.commands[-1].append("".join(self.word))
            self.word = None


def read(text: str) -> Line:
    """The line as simple commands; `plain` is False for expansions, substitutions, redirections and the like."""
    return _Reader(text).read()
