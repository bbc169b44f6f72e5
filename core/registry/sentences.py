"""What is said to whoever wrote an `agents.yaml` that the schema does not take: line, key, nearest right word."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.contract import canonical_json
from core.registry.documents import Place, Placed, Problem, did_you_mean, number_wanted
from core.registry.schema import CatalogFile


def checked(document: Placed) -> tuple[CatalogFile | None, list[Problem]]:
    """The file's model, or None and what is wrong with it, each problem with its line."""
    try:
        # JSON mode takes a list where a tuple is meant and is strict about everything else.
        return CatalogFile.model_validate_json(canonical_json(document.data)), []
    except ValidationError as error:
        return None, problems_of(error, document)


def problems_of(error: ValidationError, document: Placed, at: Place = ()) -> list[Problem]:
    """What pydantic found, in words for the person who edits the file. `at` is where the model stands in it."""
    details = [(at + _place(item), item) for item in error.errors(include_url=False)]
    misspelt = {
        (*place[:-1], near)
        for place, item in details
        if item["type"] == "extra_forbidden"
        for near in re.findall(r"did you mean '(.+)'", _suggested_key(place))
    }
    return [
        document.problem(place, _sentence(place, item))
        for place, item in details
        if not (item["type"] == "missing" and place in misspelt)
    ]


def _place(item: ErrorDetails) -> Place:
    # A wrong key of a mapping is reported at `key.[key]`; the place is the key.
    return tuple(step for step in item["loc"] if step != "[key]")


def _suggested_key(place: Place) -> str:
    return did_you_mean(str(place[-1]), _keys_at(place[:-1]))


def _keys_at(place: Place) -> list[str]:
    """Keys that the model at `place` knows; none where the path leads to something else."""
    node: Any = CatalogFile
    for step in place:
        node = _step_into(_bare(node), step)
    node = _bare(node)
    if isinstance(node, type) and issubclass(node, BaseModel):
        return [field.alias or name for name, field in node.model_fields.items()]
    return []


def _step_into(node: Any, step: str | int) -> Any:
    if isinstance(node, type) and issubclass(node, BaseModel):
        fields = {field.alias or name: field for name, field in node.model_fields.items()}
        return fields[str(step)].annotation if step in fields else None
    arguments = get_args(node)
    if get_origin(node) is tuple and arguments:
        return arguments[0]
    return arguments[1] if get_origin(node) is dict else None


def _bare(node: Any) -> Any:
    """The type without `Annotated` and `| None`."""
    while (arguments := get_args(node)) and get_origin(node) not in (tuple, dict, Literal):
        node = arguments[0]
    return node


def _choice(item: ErrorDetails) -> str:
    known = re.findall(r"'([^']*)'", item["ctx"]["expected"])
    if not known:
        return f"is {_shown(item['input'])}; it {number_wanted(item['ctx']['expected'], item['input'])}"
    return f"is {_shown(item['input'])}; it must be one of {', '.join(known)}" + did_you_mean(str(item["input"]), known)


def _wants(what: str) -> Callable[[ErrorDetails], str]:
    return lambda item: f"is {_shown(item['input'])}; it must be {what}"


def _text_for(value: Any) -> str:
    return "text; put quotes around it" if isinstance(value, int | float) else "text"


_PATTERNS: Mapping[str, str] = {
    "^[a-z0-9-]{1,64}$": "1 to 64 of a-z, 0-9 and -",
    "^[a-z0-9.][a-z0-9+#.-]{0,31}$": "1 to 32 of a-z, 0-9, +, #, . and -, with + # and - not first",
    "^[a-z0-9_-]{1,64}$": "1 to 64 of a-z, 0-9, _ and -",
    "^[a-z][a-z0-9_]{0,63}$": "a word of a-z, 0-9 and _ that begins with a letter",
}

_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda item: "is missing",
    "literal_error": _choice,
    "string_type": lambda item: _wants(_text_for(item["input"]))(item),
    "int_type": _wants("a whole number"),
    "int_from_float": _wants("a whole number"),
    "float_type": _wants("a number"),
    "bool_type": _wants("true or false"),
    "tuple_type": _wants("a list"),
    "dict_type": _wants("a mapping of keys to values"),
    "model_type": _wants("a mapping of keys to values"),
    "model_attributes_type": _wants("a mapping of keys to values"),
    "string_pattern_mismatch": lambda item: _wants(_PATTERNS[item["ctx"]["pattern"]])(item),
    "string_too_short": lambda item: "is empty",
    "string_too_long": lambda item: f"is longer than {item['ctx']['max_length']} characters",
    "too_short": lambda item: (
        f"has {item['ctx']['actual_length']} entries; it needs at least {item['ctx']['min_length']}"
    ),
    "too_long": lambda item: f"has more than {item['ctx']['max_length']} entries",
    "greater_than": lambda item: f"is {_shown(item['input'])}; it must be above {item['ctx']['gt']:g}",
    "greater_than_equal": lambda item: f"is {_shown(item['input'])}; it must be {item['ctx']['ge']:g} or more",
    "less_than_equal": lambda item: f"is {_shown(item['input'])}; it must be {item['ctx']['le']:g} or less",
}


def _sentence(place: Place, item: ErrorDetails) -> str:
    if item["type"] == "extra_forbidden":
        return "is not a key known here" + _suggested_key(place)
    words = _SENTENCES.get(item["type"])
    return words(item) if words else item["msg"]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1:]
