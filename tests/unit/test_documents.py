"""YAML as people write it: the data, the line of every value, and one clear sentence for what cannot be read."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.registry.documents import Document, DocumentError, parse, read
from core.registry.sources import MAX_BYTES


def of(text: str) -> Document:
    return parse(text.encode(), "team.yaml")


def complaint(content: str | bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        parse(content.encode() if isinstance(content, str) else content, "team.yaml")
    return str(caught.value)


def test_scalars_are_those_of_yaml_1_2() -> None:
    document = of("[yes, no, on, true, False, 12:30, 2026-01-01, 7, -3, 1.5, 1e3, 0x1f, .inf, ~, null, '7', '']")

    assert document.data == [
        *("yes", "no", "on", True, False, "12:30", "2026-01-01", 7, -3, 1.5, 1000.0, "0x1f", ".inf"),
        *(None, None, "7", ""),
    ]


def test_every_key_and_item_knows_its_line() -> None:
    document = of("a: 1\n\n# remark\nb:\n  c: x\n  d:\n    - one\n    - e: |\n        long\n        text\n      f: 2\n")

    assert [document.line_of(place) for place in [("a",), ("b",), ("b", "c"), ("b", "d", 1), ("b", "d", 1, "f")]] == [
        *(1, 4, 5, 8, 11)
    ]


def test_a_place_that_is_not_there_has_the_line_of_what_is_around_it() -> None:
    assert of("a:\n  b:\n    c: 1\n").line_of(("a", "b", "missing", 3)) == 2


def test_items_of_a_list_are_named_as_they_name_themselves() -> None:
    document = of("agents:\n  - role: ac-writer\n    sop: x\n  - sop: y\nrules: [{id: one}]\n")

    assert document.name_of(("agents", 0, "sop")) == "agents[ac-writer].sop"
    assert document.name_of(("agents", 1, "sop")) == "agents[1].sop"
    assert document.name_of(("rules", 0)) == "rules[one]"


def test_aliases_are_written_out() -> None:
    assert of("a: &x {b: 1}\nc: *x\n").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_empty_file_has_no_data() -> None:
    assert of("# nothing yet\n").data is None


def test_equal_bytes_have_equal_digests() -> None:
    assert of("a: 1").digest == of("a: 1").digest != of("a: 2").digest


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a:\n\tb: 1\n", 2, "indented with a tab"),
        ("a: 1\nb: 2\na: 3\n", 3, "a: stands twice; the first is on line 1"),
        ("a:\n  b: 1\n  b: 2\n", 3, "a.b: stands twice"),
        ("a: b: c\n", 1, "needs quotes"),
        ("a: 'open\n", 2, "never closed"),
        ("a: [1, 2\n", 2, "closing bracket"),
        ("a: @home\n", 1, "needs quotes"),
        ("a: *gone\n", 1, "anchor"),
        ("a: 1\n---\nb: 2\n", 2, "only one document per file"),
        ("<<: {a: 1}\n", 1, "merge key"),
        ("? [a]\n: 1\n", 1, "keys are words"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "cannot be read as"),
        ("a: !!int many\n", 1, "cannot be read as"),
        ("a: 1\nb: \x07\n", 2, "control character U+0007"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, line: int, words: str) -> None:
    message = complaint(text)

    assert message.startswith(f"team.yaml:{line}: ")
    assert words in message


def test_a_file_that_is_no_text_is_told_with_its_line() -> None:
    assert complaint(b"a: 1\nb: \xff\n") == "team.yaml:2: is not UTF-8 text; save the file as UTF-8"


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "x").data == {"a": 1, "b": 2}


def test_a_file_of_more_than_four_megabytes_is_not_parsed() -> None:
    assert "larger than 4 MB" in complaint(b"#" * (MAX_BYTES + 1))


def test_a_billion_laughs_end_at_the_bound() -> None:
    rows = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    assert "more than 100000 values" in complaint("\n".join(rows))


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000, "? " * 200_000, "a: &a [*a]"])
def test_endless_nesting_ends_at_the_bound(text: str) -> None:
    assert "nested deeper than 40 levels" in complaint(text)


def test_many_small_values_end_at_the_bound_before_they_fill_the_memory() -> None:
    assert "more than 100000 values" in complaint("[" + "a," * 1_500_000 + "]")


def test_a_missing_file_and_a_folder_are_told_by_their_path(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone\.yaml:1: cannot be read: no such file"):
        read(tmp_path / "gone.yaml")
    with pytest.raises(DocumentError, match="is a directory"):
        read(tmp_path)


def test_a_message_carries_no_terminal_controls_from_the_file() -> None:
    assert "\u202e" not in complaint('"a\u202eb": 1\n"a\u202eb": 2\n')


@given(
    st.one_of(st.binary(max_size=300), st.text(alphabet="ab:-[]{}&*!|>'\"#%@`\n\t ?,~01", max_size=120).map(str.encode))
)
def test_any_bytes_are_data_or_a_document_error(content: bytes) -> None:
    with contextlib.suppress(DocumentError):
        assert parse(content, "team.yaml").source == "team.yaml"
