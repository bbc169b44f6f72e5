"""Manifests' formats: read as far as they are what they say, bounded where somebody means harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.projects.stack.formats import MOST_VALUES, json_with_comments, xml_root, yaml_documents, yaml_table
from core.projects.stack.tokens import (
    CMAKE,
    ELIXIR,
    GRADLE,
    MESON,
    MOST_LEVELS,
    MOST_TOKENS,
    RUBY,
    SCALA,
    SCRIPT,
    SWIFT,
    argument,
    calls,
    lines,
    quoted,
    tokens,
)

SYNTAXES = {
    "gradle": GRADLE,
    "swift": SWIFT,
    "script": SCRIPT,
    "ruby": RUBY,
    "elixir": ELIXIR,
    "cmake": CMAKE,
    "meson": MESON,
    "scala": SCALA,
}


def test_json_with_what_editors_allow() -> None:
    text = '{ // a comment\n "url": "http://x//y", /* another */ "list": ["a,]", 2,], }'
    assert json_with_comments(text) == {"url": "http://x//y", "list": ["a,]", 2]}


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": }', "[" * 100_000, "/*" * 1000])
def test_json_that_is_no_object_is_empty(text: str) -> None:
    assert json_with_comments(text) == {}


def test_yaml_is_plain_text_in_tables_and_lists() -> None:
    text = "on: {push: yes}\nversion: 3.10\nempty:\nquoted: 'null'\nlist: [1, !Ref two]\n"
    assert yaml_table(text) == {
        "on": {"push": "yes"},
        "version": "3.10",
        "empty": None,
        "quoted": "null",
        "list": ["1", "two"],
    }


def test_yaml_merges_and_aliases() -> None:
    text = "base: &b {image: redis, port: 1}\nother: {<<: *b, port: 2}\nmany: {<<: [*b, {x: y}]}\n"
    found = yaml_table(text)
    assert found["other"] == {"image": "redis", "port": "2"}
    assert found["many"] == {"image": "redis", "port": "1", "x": "y"}


def test_the_documents_before_a_fault_count() -> None:
    assert yaml_documents("a: 1\n---\nb: 2\n---\n{{ broken: [\n") == [{"a": "1"}, {"b": "2"}]


def billion_laughs() -> str:
    rows = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    "text",
    [
        billion_laughs(),
        "[" * 500_000,
        "- " * 200_000,
        "{a: " * 100_000,
        "x: [" + "a," * (MOST_VALUES + 1) + "]",
        "\0",
        "&a [*a]",
    ],
)
def test_yaml_that_would_fill_the_memory_or_is_none_gives_nothing(text: str) -> None:
    assert [document for document in yaml_documents(text) if document not in ("", None, [None])] == []


def test_xml_without_its_namespaces() -> None:
    root = xml_root('<?xml version="1.0"?><project xmlns="http://m/4"><name>x</name></project>')
    assert root is not None
    assert (root.tag, root.findtext("name")) == ("project", "x")


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "text",
    [
        f'<!DOCTYPE p [<!ENTITY a0 "lol">{LAUGHS}]><p>&a9;</p>',
        '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>&x;</p>',
        "<!DOCTYPE p><p/>",
        "<p><q></p>",
        "<a>" * 200_000,
        "",
        "no xml",
        "<a>\0</a>",
    ],
)
def test_xml_with_a_doctype_too_deep_or_broken_is_refused(text: str) -> None:
    assert xml_root(text) is None


@pytest.mark.parametrize(
    ("syntax", "text"),
    [
        ("gradle", 'a // "not me"\n/* \'nor me\' */ \'b\' """c"""'),
        ("swift", '"b" // "not me"\n/* "nor me" */ "c"'),
        ("ruby", "'b' # 'not me'\n=begin\n'nor me'\n=end\n\"c\""),
        ("cmake", '"b" # "not me"\n#[==[ "nor me" ]==]\n"c"'),
        ("meson", "'b' # 'not me'\n'''c'''"),
        ("script", "'b' // 'not me'\n/* 'nor me' */ `c`"),
        ("elixir", '"b" # "not me"\n"""c"""'),
    ],
)
def test_comments_are_no_text(syntax: str, text: str) -> None:
    assert quoted(tokens(text, SYNTAXES[syntax])) == ["b", "c"]


def test_a_comment_inside_a_text_is_text() -> None:
    assert quoted(tokens("url 'https://x' # y", RUBY)) == ["https://x"]
    assert quoted(tokens('maven("https://x") // y', GRADLE)) == ["https://x"]


def test_calls_and_their_arguments() -> None:
    found = tokens('.package(url: "https://a/b", from: "1.0"), .package(name: "c", path: "../c")', SWIFT)
    arguments = [tokens_ for _, tokens_ in calls(found, "package")]
    assert [argument(each, "url") for each in arguments] == ["https://a/b", None]


def test_a_line_goes_on_while_a_bracket_is_open() -> None:
    found = [[token.text for token in line] for line in lines(tokens("a(b,\nc)\nd\n\n", RUBY))]
    assert found == [["a", "(", "b", ",", "c", ")"], ["d"]]


SOURCE = st.text(alphabet=st.sampled_from("ab \n\t'\"`\\#/*[]=(){}<%:.@$é\r0") | st.characters(), max_size=300)


@given(st.sampled_from(sorted(SYNTAXES)), SOURCE)
def test_any_text_has_tokens(syntax: str, text: str) -> None:
    found = tokens(text, SYNTAXES[syntax])
    assert len(found) <= len(text)
    assert sum(len(line) for line in lines(found)) <= len(found)
    for name, inner in calls(found, "a", "b"):
        assert name in text
        assert len(inner) < len(found)


@given(SOURCE)
def test_any_text_can_be_read_in_every_format(text: str) -> None:
    assert isinstance(json_with_comments(text), dict)
    assert isinstance(yaml_documents(text), list)
    xml_root(text)


@pytest.mark.parametrize("syntax", sorted(SYNTAXES))
def test_what_is_opened_over_and_over_is_gone_over_once(syntax: str) -> None:
    """Were any of these read from every opening anew, this would take hours."""
    for piece in ("'", '"', "`", '\\"', "/*", "#[[", "=begin\n", '"""', "(", "\\", "a(", "dependencies{", "{:a,", "\n"):
        found = tokens(piece * (40_000 // len(piece)), SYNTAXES[syntax])
        assert len(found) <= MOST_TOKENS
        assert len(list(calls(found, "a"))) <= MOST_LEVELS
        assert len(list(calls(found, "dependencies", brackets="{}"))) <= MOST_LEVELS
