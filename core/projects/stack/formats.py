"""Manifests' formats, read with bounds: what is not what it says, or tries to fill the memory, is nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import yaml

from core.contract import Json

MOST_VALUES = 50_000
"""Values of one YAML text, its aliases written out."""
MOST_LEVELS = 60
MOST_DOCUMENTS = 200

# What is opened and never closed runs to its end, so that no text is gone over from every quote anew.
_STRING = r'("(?:[^"\\\n]|\\.)*+(?:"|(?=\n)|\Z))'
_COMMENTS = re.compile(_STRING + r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_COMMAS = re.compile(_STRING + r"|,(?=\s*[}\]])", re.DOTALL)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def json_with_comments(text: str) -> Json:
    """A JSON object as editors and compilers take it: comments and commas at the end are passed over."""
    try:
        plain = _COMMAS.sub(r"\1", _COMMENTS.sub(r"\1", text))
        value = json.loads(plain or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def yaml_documents(text: str) -> list[Any]:
    """The documents of a YAML text: mappings, lists and texts, tags passed over; those before the first fault."""
    found: list[Any] = []
    try:
        for document in _Building(yaml.parse(text, Loader=_LOADER)).documents():
            found.append(document)
            if len(found) == MOST_DOCUMENTS:
                break
    except (yaml.YAMLError, _PassesBound, ValueError):
        return found
    return found


def yaml_table(text: str) -> Json:
    """The first document that is a mapping; empty when there is none."""
    return next((document for document in yaml_documents(text) if isinstance(document, dict)), {})


class _PassesBound(Exception):
    """A text with more values or levels than any manifest has."""


class _Building:
    """Parser events on their way to plain data.

    Every scalar stays text: a manifest's `on:` is a key and `3.10` a version. The parser's events need no stack of
    calls, so the depth is bounded here and not by the end of the process. An alias costs what it stands for.
    """

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.events = events
        self.values = 0
        self.anchors: dict[str, tuple[Any, int]] = {}

    def documents(self) -> Iterator[Any]:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors = {}
                yield self._value(next(self.events), 0)

    def _value(self, event: yaml.Event, level: int) -> Any:
        before = self.values
        self._count(1)
        if level > MOST_LEVELS:
            raise _PassesBound
        value: Any
        if isinstance(event, yaml.AliasEvent):
            value, cost = self.anchors.get(event.anchor or "", (None, 0))
            self._count(cost)
            return value
        if isinstance(event, yaml.ScalarEvent):
            value = None if event.value in ("", "~", "null") and event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = list(self._sequence(level))
        else:
            value = self._mapping(level)
        if anchor := getattr(event, "anchor", None):
            self.anchors[anchor] = (value, self.values - before)
        return value

    def _sequence(self, level: int) -> Iterator[Any]:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self._value(event, level + 1)

    def _mapping(self, level: int) -> Json:
        table: Json = {}
        merged: list[Any] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, value = self._value(event, level + 1), self._value(next(self.events), level + 1)
            if key == "<<":
                merged += value if isinstance(value, list) else [value]
            elif isinstance(key, str):
                table[key] = value
        for other in reversed(merged):
            table = {**other, **table} if isinstance(other, dict) else table
        return table

    def _count(self, values: int) -> None:
        self.values += values
        if self.values > MOST_VALUES:
            raise _PassesBound


def xml_root(text: str) -> ElementTree.Element | None:
    """The root of an XML text, its elements named without namespaces; None for what is no XML or declares a DOCTYPE.

    A DOCTYPE is where entities are defined that expand to gigabytes or read files; no manifest has one.
    """
    builder = _Elements()
    parser = ElementTree.XMLParser(target=builder)
    try:
        parser.feed(text)
        parser.close()
    except (ElementTree.ParseError, _PassesBound, ValueError):
        return None
    return builder.root


class _Elements:
    """Takes elements from the parser, refuses a DOCTYPE and a depth that would end in the middle of a clean-up."""

    def __init__(self) -> None:
        self.root: ElementTree.Element | None = None
        self._builder = ElementTree.TreeBuilder()
        self._level = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._level += 1
        if self._level > MOST_LEVELS:
            raise _PassesBound
        element = self._builder.start(tag.rpartition("}")[2], attributes)
        self.root = element if self.root is None else self.root

    def end(self, tag: str) -> None:
        self._level -= 1
        self._builder.end(tag.rpartition("}")[2])

    def data(self, data: str) -> None:
        self._builder.data(data)

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _PassesBound

    def close(self) -> None:
        self._builder.close()


def text_of(element: ElementTree.Element, *names: str) -> str:
    """The text of a child below these names, stripped; empty when it is not there."""
    found = element.find("/".join(names))
    return (found.text or "").strip() if found is not None else ""
