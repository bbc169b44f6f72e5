"""Files read back the way their loaders read them, only stricter: loaders repair, log, or silently drop an agent."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import yaml

from core.contract import Json
from core.registry.generation.providers import Format, Provider
from core.registry.generation.subjects import Subject


class Unreadable(ValueError):
    """A made file that its own format does not accept."""


def parse(format_: Format, text: str) -> Json:
    """The fields of a made file; raises Unreadable. Markdown's text below the front matter is the field `body`."""
    try:
        return _PARSERS[format_](text)
    except (yaml.YAMLError, ValueError, ElementTree.ParseError) as error:
        raise Unreadable(f"is not {format_} that reads back: {error}") from None


def problems(provider: Provider, subject: Subject, text: str) -> Iterator[str]:
    """What is wrong with the file made for an agent, in sentences that begin with a verb."""
    try:
        fields = parse(provider.file.format, text)
    except Unreadable as error:
        yield str(error)
        return
    rules = provider.file.fields
    for name in provider.file.required:
        if name not in fields:
            yield f"has no {name}"
    for name, value in fields.items():
        if name not in rules:
            yield f"has a field {name!r} that {provider.name} does not know"
        elif wrong := _RULES[rules[name]](value, subject, provider):
            yield f"{wrong} in its field {name!r}"
    yield from _name_problems(provider, subject)
    yield from _size_problems(provider, fields)


def size_problem(what: str, unit: str, size: int, limit: int | None) -> Iterator[str]:
    if limit is not None and size > limit:
        yield f"has a {what} of {size:,} {unit}, and {limit:,} are read"


def _name_problems(provider: Provider, subject: Subject) -> Iterator[str]:
    if not re.fullmatch(provider.file.names, subject.role):
        yield f"has a name that {provider.name} does not take; it must match {provider.file.names}"
    if subject.role in provider.file.reserved:
        yield f"has the name of an agent that {provider.name} brings along; give it another"
    yield from size_problem("name", "characters", len(subject.role), provider.file.limits.name)


def _size_problems(provider: Provider, fields: Mapping[str, Any]) -> Iterator[str]:
    limits = provider.file.limits
    for name, rule in provider.file.fields.items():
        value = fields.get(name)
        if isinstance(value, str) and rule == "description":
            yield from size_problem("description", "characters", len(value), limits.description)
        if isinstance(value, str) and rule == "sop":
            yield from size_problem("body", "characters", len(value), limits.body)
            yield from size_problem("body", "lines", value.count("\n"), limits.body_lines)


def _markdown(text: str) -> Json:
    found = re.match(r"---\n(.*?\n)---\n(.*)\Z", text, re.DOTALL)
    if found is None:
        raise ValueError("it does not begin with front matter between two lines of ---")
    node = yaml.compose(found[1], yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("its front matter is not a mapping")
    _refuse_doubles([(key.value, None) for key, _ in node.value])
    return {**yaml.safe_load(found[1]), "body": found[2]}


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> Json:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


def _json(text: str) -> Json:
    fields = json.loads(text, object_pairs_hook=_refuse_doubles)
    if not isinstance(fields, dict):
        raise ValueError("it is not an object")
    return fields


def _xml(text: str) -> Json:
    """Attributes of the root, and its children: a child's text, or the texts of the children it has."""
    if "<!DOCTYPE" in text.partition("<agent")[0]:
        raise ValueError("it declares a document type, which no reader should follow")
    root = ElementTree.fromstring(text)
    return _refuse_doubles([*root.attrib.items(), *((child.tag, _xml_value(child)) for child in root)])


def _xml_value(element: ElementTree.Element) -> Any:
    text = element.text or ""
    return text if text.strip() and not len(element) else [child.text or "" for child in element]


_PARSERS: Mapping[Format, Callable[[str], Json]] = {
    "markdown": _markdown,
    "toml": tomllib.loads,
    "json": _json,
    "xml": _xml,
}


def _same(attribute: str) -> Callable[[Any, Subject, Provider], str]:
    def check(value: Any, subject: Subject, _: Provider) -> str:
        return "" if value == getattr(subject, attribute) else f"does not read back the {attribute} it was given"

    return check


def _sop(value: Any, subject: Subject, provider: Provider) -> str:
    if not isinstance(value, str) or not subject.sop.strip():
        return "has no words"
    return "" if provider.rewritten(subject.sop) in value else "does not read back the whole SOP"


def _description(value: Any, subject: Subject, _: Provider) -> str:
    if not value:
        return "has no words"
    return "" if value == subject.description else "does not read back the description it was given"


def _line(value: Any, _: Subject, __: Provider) -> str:
    return "" if isinstance(value, str) and value.strip() and "\n" not in value else "has no single line of text"


def _tools(value: Any, _: Subject, provider: Provider) -> str:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return "has no list of words"
    unknown = [word for word in value if word.partition("(")[0] not in provider.known_words]
    return f"has tools that {provider.name}'s table does not hold, {', '.join(unknown)}," if unknown else ""


def _texts(value: Any, _: Subject, __: Provider) -> str:
    return "" if isinstance(value, list) and all(isinstance(item, str) for item in value) else "has no list of texts"


def _number(value: Any, _: Subject, __: Provider) -> str:
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else "has no number"


def _flag(value: Any, _: Subject, __: Provider) -> str:
    return "" if isinstance(value, bool) else "has neither true nor false"


def _mapping(value: Any, _: Subject, __: Provider) -> str:
    return "" if isinstance(value, dict) else "has no mapping"


_RULES: Mapping[str, Callable[[Any, Subject, Provider], str]] = {
    "role": _same("role"),
    "display_name": _same("display_name"),
    "description": _description,
    "sop": _sop,
    "line": _line,
    "tools": _tools,
    "texts": _texts,
    "number": _number,
    "flag": _flag,
    "mapping": _mapping,
}
