"""Filters of the templates: each makes of any text one literal of its format that reads back as the same text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_YAML_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_YAML_HYPHENS = re.compile("-(?=--)")
_YAML_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

_TOML_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")

_XML_UNKNOWN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_MARKDOWN = re.compile(r"[\\|]|<(?=[!/?A-Za-z])")


def yaml_string(value: object) -> str:
    """A double-quoted scalar on one line: no text can end the front matter or begin a key.

    Three hyphens are escaped as well: Claude Code ends the front matter at the first ones, wherever they stand.
    """
    text = "".join(_YAML_ESCAPES.get(letter, letter) for letter in str(value))
    return '"' + _YAML_HYPHENS.sub(_escaped, _YAML_UNPRINTABLE.sub(_escaped, text)) + '"'


def yaml_list(values: object) -> str:
    """A flow sequence of double-quoted scalars on one line."""
    return f"[{', '.join(yaml_string(value) for value in _items(values))}]"


def toml_string(value: object) -> str:
    """A basic string on one line."""
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{_TOML_CONTROL.sub(_escaped, text)}"'


def toml_text(value: object) -> str:
    """A basic string over several lines, so that a reader and a diff see the text's own lines."""
    text = _TOML_CONTROL.sub(_escaped, str(value).replace("\\", "\\\\"))
    return '"""\n' + re.sub(r'"(?="|\Z)', r'\\"', text) + '"""'


def json_string(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def json_list(values: object) -> str:
    return json.dumps([str(value) for value in _items(values)], ensure_ascii=False)


def xml_text(value: object) -> str:
    """Character data; a carriage return is written as a reference, or a parser would make a line end of it."""
    return escape(_in_xml(value), {"\r": "&#13;"})


def xml_attr(value: object) -> str:
    """An attribute's value with its quotes."""
    return quoteattr(_in_xml(value), {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def xml_cdata(value: object) -> str:
    """Sections of character data that leave the text's own lines readable."""
    parts = _in_xml(value).replace("]]>", "]]]]><![CDATA[>").split("\r")
    return "&#13;".join(f"<![CDATA[{part}]]>" for part in parts)


def _in_xml(value: object) -> str:
    # XML 1.0 has no way at all to write these; the sign for a lost character says that one stood here.
    return _XML_UNKNOWN.sub("\ufffd", str(value))


def markdown_line(value: object) -> str:
    """The text on one line that opens no HTML, so no comment, and ends no cell of a table."""
    return _MARKDOWN.sub(lambda found: "&lt;" if found[0] == "<" else "\\" + found[0], " ".join(str(value).split()))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _items(values: object) -> list[object]:
    return list(values) if isinstance(values, list | tuple) else [values]


FILTERS: Mapping[str, Callable[[Any], str]] = {
    "yaml_string": yaml_string,
    "yaml_list": yaml_list,
    "toml_string": toml_string,
    "toml_text": toml_text,
    "json_string": json_string,
    "json_list": json_list,
    "xml_text": xml_text,
    "xml_attr": xml_attr,
    "xml_cdata": xml_cdata,
    "markdown_line": markdown_line,
}
