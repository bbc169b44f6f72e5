"""Debt is what can be pointed at: a place, a measured figure, a cost from a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.debt import ENTRIES, Debt, debts_of, survey
from tests.unit.git_project import write

BRANCHES = (
    "def tangled(x):\n" + "".join(f"    if x == {n}:\n        return {n}\n" for n in range(12)) + "    return x\n"
)
LONG = "def endless():\n" + "".join(f"    value_{n} = {n}\n" for n in range(70)) + "    return value_1\n"


def python(source: str) -> list[Debt]:
    import ast

    return debts_of("a.py", source, ast.parse(source))


class TestMarkedComments:
    def test_in_python_are_found_and_strings_are_not(self) -> None:
        source = 'text = "# TODO: a string"\n\nx = 1  # TODO: round it\n"""\nFIXME: documentation\n"""\n'

        (debt,) = python(source)

        assert (debt.text, debt.location, debt.cost) == ("TODO: round it", "a.py:3", 1.0)

    @pytest.mark.parametrize(
        ("path", "line", "text"),
        [
            ("a.js", "let x = 1 // FIXME(ada): leaks", "FIXME: (ada): leaks"),
            ("a.c", " * XXX: overflow", "XXX: overflow"),
            ("a.css", "/* HACK: for old browsers */", "HACK: for old browsers"),
            ("a.sql", "-- TODO index this", "TODO: index this"),
            ("a.html", "<!-- TODO: alt text -->", "TODO: alt text"),
            ("Makefile", "all: # TODO", "TODO without a word of explanation"),
            ("a.rs", 'let url = "https://x"; // TODO: retry', "TODO: retry"),
        ],
    )
    def test_in_other_languages(self, path: str, line: str, text: str) -> None:
        (debt,) = debts_of(path, f"\n{line}\n")

        assert debt.text == text
        assert debt.location == f"{path}:2"

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("a.js", 'print("// TODO: a string")'),
            ("a.py", "# see TODOS.md, and a todo list"),
            ("a.py", "METODO = 1"),
            ("a.js", "const TODO = 1"),
            ("a.txt", "# TODO: prose"),
        ],
    )
    def test_that_are_none(self, path: str, line: str) -> None:
        assert debts_of(path, line) == []

    def test_in_python_that_does_not_parse_are_found_all_the_same(self) -> None:
        (debt,) = debts_of("a.py", "print 'old'\n(  # TODO: port\n")

        assert debt.location == "a.py:2"

    def test_carry_no_control_characters(self) -> None:
        (debt,) = debts_of("a.py", "# TODO: \x1b]0;title\x07here\u202e\n")

        assert debt.text == "TODO: here"

    @given(st.text(st.characters(codec="utf-8"), max_size=200))
    def test_never_stop_the_reader(self, text: str) -> None:
        for path in ("a.py", "a.js", "a.sql", "a.html"):
            for debt in debts_of(path, f"{text}\n# TODO: x\n// TODO: x\n"):
                assert int(debt.location.rpartition(":")[2]) >= 1


class TestFunctions:
    def test_above_complexity_10_are_debt(self) -> None:
        (debt,) = python(BRANCHES)

        assert debt.text == "tangled has a cyclomatic complexity of 13"
        assert (debt.location, debt.cost, debt.kind) == ("a.py:1", 2.0, "complexity")

    def test_that_are_long_are_debt(self) -> None:
        (debt,) = python(LONG)

        assert debt.text == "endless is 72 lines long"
        assert debt.kind == "length"

    def test_that_are_methods_have_their_class_in_the_name(self) -> None:
        source = "class Table:\n" + "".join(f"    {line}\n" for line in BRANCHES.splitlines())

        assert python(source)[0].text.startswith("Table.tangled has")

    def test_with_an_expression_of_thousands_of_terms_are_passed_over(self) -> None:
        assert python("x = " + " + ".join(["1"] * 900) + "\n") == []


class TestIds:
    def test_stay_when_an_entry_moves_within_its_file(self) -> None:
        here, there = python(BRANCHES), python("\n\nimport os\n\n\n" + BRANCHES)

        assert [debt.id for debt in here] == [debt.id for debt in there]
        assert here[0].location != there[0].location

    def test_differ_for_equal_comments(self) -> None:
        first, second = python("# TODO: x\n# TODO: x\n")

        assert first.id != second.id


class TestASurvey:
    def test_sorts_the_costliest_first(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.py": "# TODO: small\n", "b.py": "# HACK: large\n"})

        found = survey(tmp_path, ["a.py", "b.py"])

        assert [debt.kind for debt in found.debts] == ["HACK", "TODO"]

    def test_is_bounded(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.py": "# TODO: x\n" * (ENTRIES + 50)})

        found = survey(tmp_path, ["a.py"])

        assert len(found.entries()) == ENTRIES
        assert len(found.debts) == ENTRIES + 50

    def test_that_finds_nothing_says_what_it_looked_at(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.py": "x = 1\n", "b.js": "let x = 1\n"})

        (entry,) = survey(tmp_path, ["a.py", "b.js"]).entries()

        assert entry["id"] == "none"
        assert entry["cost"] == 0
        assert "No comment marked TODO" in entry["text"]
        assert "in 2 files" in entry["text"]

    def test_skips_links_large_and_binary_files_and_what_is_not_ours(self, tmp_path: Path) -> None:
        write(tmp_path, {"node_modules/x.js": "// TODO: theirs\n", "vendor/y.go": "// TODO: theirs\n"})
        (tmp_path / "link.py").symlink_to("/etc/hostname")
        (tmp_path / "binary.py").write_bytes(b"# TODO: x\0\n")
        (tmp_path / "large.py").write_text("# TODO: x\n" * 100_000)
        (tmp_path / "gone.py").unlink(missing_ok=True)
        names = ["node_modules/x.js", "vendor/y.go", "link.py", "binary.py", "large.py", "gone.py"]

        found = survey(tmp_path, names)

        assert found.debts == ()
        assert (found.files, found.skipped) == (0, len(names))

    def test_names_python_files_that_do_not_parse(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.py": "print 'old'\n"})

        assert survey(tmp_path, ["a.py"]).unreadable == ("a.py",)

    def test_measures_the_maintainability_of_long_files(self, tmp_path: Path) -> None:
        body = "".join(
            f"def f{n}(a, b):\n    return (a * {n} + b) if a > {n} else (a - b) ** {n}\n" for n in range(400)
        )
        write(tmp_path, {"hard.py": body})

        (debt,) = survey(tmp_path, ["hard.py"]).debts

        assert debt.kind == "maintainability"
        assert debt.location == "hard.py:1"
