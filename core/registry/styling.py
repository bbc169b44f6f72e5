"""YAML as a person would have written it: plain data put into an existing text, or into a new one.

`updated` changes only what differs; comments, order, quotes and line breaks of everything else stay as they are.
"""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.contract import Json

WIDTH = 100_000
"""Texts and lists are not wrapped: a break that was not there would be a change."""
MOST_IN_FLOW = 100
"""Characters of a list or mapping that is written on one line."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/ .,;()+-]*(?<![ ])")
"""Texts that every YAML reader takes as text without quotes, but for the words below."""
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def written(data: Json) -> Iterator[str]:
    """The data as a new text."""
    yield _dumped(_node(data), 2)


def updated(text: str, old: Json, new: Json) -> Iterator[str]:
    """A text that holds `old`, changed to hold `new`: the best attempt first. The reader says whether it does."""
    from ruamel.yaml.error import YAMLError

    offset = _offset(text)
    try:
        node = _loaded(text)
        plain = _dumped(node, offset)
        _change(node, old, new)
        changed = _dumped(node, offset)
    except (YAMLError, KeyError, TypeError, ValueError):
        # A file may use what ruamel reads otherwise than we do; then it is written anew.
        yield from written(new)
        return
    yield _merged(text, plain, changed)
    yield changed
    yield from written(new)


def _yaml(offset: int) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _loaded(text: str) -> Any:
    return _yaml(2).load(text)


def _dumped(node: Any, offset: int) -> str:
    stream = io.StringIO()
    _yaml(offset).dump(node, stream)
    return stream.getvalue()


def _offset(text: str) -> int:
    """How far the items of the first list of mappings stand behind their key."""
    found = re.search(r"^( *)[\w-]+:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*( *)- ", text, re.MULTILINE)
    return max(len(found[2]) - len(found[1]), 0) if found else 2


def _change(node: Any, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Bring a mapping's node from `old` to `new`, its other keys untouched."""
    for key in [k for k in old if k not in new]:
        del node[key]
    order = list(new)
    for key, value in new.items():
        if key not in old:
            later = [k for k in order[order.index(key) + 1 :] if k in node]
            at = list(node).index(later[0]) if later else _before_text(node)
            node.insert(at, key, _node(value))
        elif value != old[key]:
            node[key] = _changed(node[key], old[key], value)


def _before_text(node: Any) -> int:
    """Behind the last key, but before a block text: what follows that may belong to the next entry."""
    keys = list(node)
    return len(keys) - 1 if keys and "\n" in str(node[keys[-1]]) and isinstance(node[keys[-1]], str) else len(keys)


def _changed(node: Any, old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        if set(new) == {"autonomous", "escalate"} and all(isinstance(v, list) for v in old.values()):
            _move_kinds(node, old, new)
        else:
            _change(node, old, new)
        return node
    if isinstance(new, list) and isinstance(old, list):
        name = next((n for n in ("role", "id") if _have(old, n) and _have(new, n)), None)
        if name is not None:
            _change_items(node, old, new, name)
            return node
    return _restyled(node, new)


def _have(items: list[Any], name: str) -> bool:
    return all(isinstance(item, Mapping) and name in item for item in items)


def _change_items(node: Any, old: list[Json], new: list[Json], name: str) -> None:
    """Items go by their names: those that stay are changed in place, new ones follow the last."""
    wanted = {item[name]: item for item in new}
    for n in range(len(old) - 1, -1, -1):
        if old[n][name] not in wanted:
            del node[n]
    kept = [item for item in old if item[name] in wanted]
    for n, item in enumerate(kept):
        if item != wanted[item[name]]:
            _change(node[n], item, wanted[item[name]])
    known = {item[name] for item in old}
    node.extend(_node(item) for item in new if item[name] not in known)


def _move_kinds(node: Any, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Kinds that move from one list to the other take the way they are written with them."""
    pool = {item["key"]: (node[mode][n], item) for mode, items in old.items() for n, item in enumerate(items)}
    for mode, items in new.items():
        now = {item["key"] for item in items}
        for n in range(len(old.get(mode) or ()) - 1, -1, -1):
            if old[mode][n]["key"] not in now:
                del node[mode][n]
        if mode not in node:
            node[mode] = _node([])
        here = [item["key"] for item in old.get(mode) or () if item["key"] in now]
        for item in items:
            known, before = pool.get(item["key"], (None, {}))
            if known is None:
                known = _node(item)
            elif before != item:
                _change(known, before, item)
            if item["key"] not in here:
                node[mode].append(known)


def _restyled(node: Any, value: Any) -> Any:
    """The value in the style of the node that it takes the place of, where that style can hold it."""
    from ruamel.yaml.scalarstring import LiteralScalarString, ScalarString

    if not isinstance(value, str):
        return _node(value)
    made = _node(value)
    if isinstance(node, ScalarString) and not isinstance(node, LiteralScalarString) and "\n" not in value:
        made = type(node)(value)
    remark = getattr(node, "comment", None)
    if remark is not None and isinstance(made, ScalarString):
        # What follows a block text belongs to it: an empty line, a remark about the next entry.
        made.comment = remark  # type: ignore[attr-defined]
    return made


def _node(value: Any) -> Any:
    """Plain data as nodes in the style of a file that people edit: long texts as blocks, short lists on one line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, str):
        return _text_node(value)
    if isinstance(value, Mapping):
        made = CommentedMap((key, _node(item)) for key, item in value.items())
        if "key" in value or not value:
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        items = CommentedSeq(_node(item) for item in value)
        if all(isinstance(item, str) for item in value) and len("".join(value)) <= MOST_IN_FLOW:
            items.fa.set_flow_style()
        return items
    # A figure that is whole is written as people write it.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text_node(text: str) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    if "\n" in text and _fits_block(text):
        return LiteralScalarString(text)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and len(text) < WIDTH:
        return text
    return DoubleQuotedScalarString(text)


def _fits_block(text: str) -> bool:
    """Whether a block holds the text to the letter: no spaces before its first or behind any line, nothing unseen."""
    lines = text.split("\n")
    return (
        bool(lines[0].strip())
        and not lines[0].startswith((" ", "\t"))
        and all(line == line.rstrip() and line.replace("\t", " ").isprintable() for line in lines)
    )


def _merged(original: str, plain: str, changed: str) -> str:
    """The original with the changes that lead from `plain`, its own rendering, to `changed`.

    Between lines that all three share, the original stands where nothing was changed.
    """
    own, base, new = (text.splitlines(keepends=True) for text in (original, plain, changed))
    to_own, to_new = _pairs(base, own), _pairs(base, new)
    merged: list[str] = []
    a0 = o0 = b0 = 0
    for a in (*(a for a in sorted(to_own) if a in to_new), len(base)):
        o, b = to_own.get(a, len(own)), to_new.get(a, len(new))
        merged += own[o0:o] if base[a0:a] == new[b0:b] else new[b0:b]
        merged += own[o : o + 1]
        a0, o0, b0 = a + 1, o + 1, b + 1
    return "".join(merged)


def _pairs(one: list[str], other: list[str]) -> dict[int, int]:
    """Lines of the one by number that the other has too, each with its number there."""
    blocks = difflib.SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return {a + n: b + n for a, b, size in blocks for n in range(size)}
