"""Any text becomes one literal that the format's own parser reads back as the same text."""

from __future__ import annotations

import json
import tomllib
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.registry.generation import quoting
from core.registry.generation.section import BEGIN, END

AWKWARD = (
    '"',
    '"""',
    "'",
    "\\",
    "---",
    "\n---\n",
    "{{ 1 }}",
    "{% x %}",
    "]]>",
    "<!--",
    END,
    "#",
    ": ",
    "|",
    "\r\n",
    "\x85",
)
TEXTS = st.lists(
    st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"]))), max_size=6
).map("".join)
XML_TEXTS = TEXTS.map(lambda text: "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff")))


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@given(text=TEXTS)
def test_yaml(loader: type[yaml.SafeLoader], text: str) -> None:
    written = f"a: {quoting.yaml_string(text)}\nb: {quoting.yaml_list((text, text))}\n"

    assert yaml.load(written, loader) == {"a": text, "b": [text, text]}
    assert written.count("\n") == 2
    assert "---" not in written


@given(text=TEXTS)
def test_toml(text: str) -> None:
    written = f"a = {quoting.toml_string(text)}\nb = {quoting.toml_text(text)}\n"

    assert tomllib.loads(written) == {"a": text, "b": text}


@given(text=TEXTS)
def test_json(text: str) -> None:
    written = f'{{"a": {quoting.json_string(text)}, "b": {quoting.json_list([text])}}}'

    assert json.loads(written) == {"a": text, "b": [text]}


@given(text=XML_TEXTS)
def test_xml(text: str) -> None:
    written = f"<r a={quoting.xml_attr(text)}><b>{quoting.xml_text(text)}</b><c>{quoting.xml_cdata(text)}</c></r>"

    root = ElementTree.fromstring(written)

    assert (root.get("a"), root[0].text or "", root[1].text or "") == (text, text, text)


@given(text=TEXTS)
def test_xml_is_well_formed_even_where_it_has_to_lose_a_character(text: str) -> None:
    ElementTree.fromstring(f"<r a={quoting.xml_attr(text)}>{quoting.xml_text(text)}{quoting.xml_cdata(text)}</r>")


@given(text=TEXTS)
def test_a_markdown_line_ends_no_cell_and_opens_no_comment(text: str) -> None:
    line = quoting.markdown_line(text)

    assert "\n" not in line
    assert "<!" not in line
    assert BEGIN not in line
    assert END not in line
    assert line.replace("\\\\", "").replace("\\|", "").count("|") == 0
