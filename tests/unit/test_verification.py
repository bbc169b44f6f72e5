from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.titles import titled_claims
from core.agents.verification import (
    Claim,
    human_answers,
    mention,
    named_claims,
    task_claims,
    trailer_claims,
    verify,
)
from core.contract import Json
from tests.unit.git_project import commit

CASES = {
    "tests/test_cart.py::test_sums": "passed",
    "tests/test_cart.py::test_each[1]": "passed",
    "tests/test_cart.py::test_each[2]": "passed",
    "tests/test_cart.py::TestEdge::test_zero": "failed",
    "tests/test_cart.py::test_later": "skipped",
}
AC1: Json = {"id": "AC1", "text": "The cart sums what is in it"}


def one(claims: list[Claim], answers: dict[str, str] | None = None, criterion: Json = AC1) -> Json:
    return verify([criterion], claims, CASES, answers or {})[0]


def claim(*tests: str, criterion: str = "AC1") -> Claim:
    return Claim(criterion, tests, "mapped by the task T1")


class TestAClaim:
    def test_holds_when_its_test_passed(self) -> None:
        verdict = one([claim("tests/test_cart.py::test_sums")])
        assert verdict["verified"] is True
        assert verdict["evidence"] == "tests/test_cart.py::test_sums passed (mapped by the task T1)"

    def test_covers_every_parameter(self) -> None:
        assert "(2 cases) passed" in one([claim("tests/test_cart.py::test_each")])["evidence"]

    @pytest.mark.parametrize(
        ("tests", "why"),
        [
            (["tests/test_cart.py::TestEdge"], "test_zero failed"),
            (["tests/test_cart.py::test_later"], "test_later was skipped"),
            (["tests/test_cart.py::test_su"], "test_su did not run"),
            (["tests/test_cart.py::test_sums", "tests/test_gone.py::test_x"], "test_gone.py::test_x did not run"),
            (["tests/test_cart.py"], "test_zero failed"),
            ([], "names no test"),
        ],
    )
    def test_fails_when_a_test_did_not_pass_and_says_which(self, tests: list[str], why: str) -> None:
        verdict = one([claim(*tests)])
        assert verdict["verified"] is False
        assert why in verdict["evidence"]

    def test_is_enough_even_when_another_is_wrong(self) -> None:
        claims = [claim("tests/test_gone.py"), claim("tests/test_cart.py::test_sums")]
        assert one(claims)["verified"] is True

    @pytest.mark.parametrize("spelling", ["ac1", "AC-1", "ac_01", "AC 1"])
    def test_may_spell_the_criterion_its_own_way(self, spelling: str) -> None:
        assert one([claim("tests/test_cart.py::test_sums", criterion=spelling)])["verified"] is True

    def test_for_another_criterion_proves_nothing(self) -> None:
        assert one([claim("tests/test_cart.py::test_sums", criterion="AC11")])["verified"] is False


def test_words_in_common_are_a_hint_and_no_evidence() -> None:
    criterion = {"id": "AC2", "text": "Each of the sums is later"}
    cases = {"tests/test_cart.py::test_sums_each": "passed"}
    verdict = verify([criterion], [], cases, {})[0]
    assert verdict["verified"] is False
    assert verdict["hint"].startswith("tests/test_cart.py::test_sums_each")
    assert "names AC2" in verdict["evidence"]


def test_a_persons_word_counts_and_is_shown_as_such() -> None:
    assert one([], human_answers({"ac-1": "seen in staging"}))["evidence"] == "human: seen in staging"
    assert one([], human_answers([{"id": "AC1", "evidence": "seen"}]))["verified"] is True


@pytest.mark.parametrize("answer", [None, "AC1", {"AC1": "  "}, {"AC1": True}, [{"id": "AC1"}], [7]])
def test_an_answer_without_evidence_does_not(answer: object) -> None:
    assert one([], human_answers(answer))["verified"] is False


def test_the_tasks_mappings_become_claims() -> None:
    tasks: list[Json] = [{"id": "T1", "verifies": {"AC1": ["a::b"]}}, {"id": "T2"}, {"id": "T3", "verifies": None}]
    assert task_claims(tasks) == [Claim("AC1", ("a::b",), "mapped by the task T1")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("test_ac1_sums", True),
        ("AC-1: sums", True),
        ("mark.criterion('AC_01')", True),
        ("class TestAC1Sums", True),
        ("test_ac12", False),
        ("TestMAC1", False),
        ("mac1", False),
        ("hac-1", False),
    ],
)
def test_what_names_a_criterion(text: str, names: bool) -> None:
    assert bool(mention("AC1").search(text)) is names


@given(st.text(min_size=1, max_size=20), st.text(max_size=50))
def test_any_id_makes_a_pattern(criterion: str, text: str) -> None:
    mention(criterion).search(text)


TESTS = """
    import pytest

    def test_ac1_of_long_ago():
        assert True

    def test_ac2_kept():
        assert True
    """
MORE = """
    import pytest

    def test_ac1_of_long_ago():
        assert True

    def test_ac2_kept():
        assert 1 == 1

    def test_by_docstring():
        '''AC-3: sums.'''

    @pytest.mark.criterion("AC4")
    async def test_by_marker(): ...

    class TestAC5:
        def test_in_class(self): ...

        def helper_ac6(self): ...

    # AC7 is only in a comment
    def test_plain():
        '''Sums.'''
    """


async def test_only_tests_of_this_branch_name_criteria(tmp_path: Path) -> None:
    base = commit(tmp_path, {"tests/test_cart.py": TESTS})
    head = commit(tmp_path, {"tests/test_cart.py": MORE, "tests/test_broken.py": "def test_ac7(:\n"})
    criteria = [{"id": f"AC{n}"} for n in range(1, 8)]
    claims = await named_claims(tmp_path, base, head, criteria)
    assert [(row.criterion, row.tests[0].partition("::")[2]) for row in claims] == [
        ("AC2", "test_ac2_kept"),
        ("AC3", "test_by_docstring"),
        ("AC4", "test_by_marker"),
        ("AC5", "TestAC5::test_in_class"),
    ]


@pytest.mark.parametrize(
    ("runner", "example"),
    [
        ("pytest", "(def test_ac1_…)"),
        ("npm", '(test("AC1 …"))'),
        ("go", "(func TestAC1…)"),
        ("cargo", "(fn ac1_…)"),
        ("", "(AC1 in its name)"),
    ],
)
def test_what_would_count_is_said_in_the_words_of_the_runner(runner: str, example: str) -> None:
    assert example in verify([AC1], [], CASES, {}, runner)[0]["evidence"]


def test_what_would_count_names_what_the_run_has() -> None:
    assert "the run has tests/test_cart.py::test_sums, tests/" in one([])["evidence"]
    many = {f"case {n}": "passed" for n in range(7)}
    assert "case 4 and 2 more" in verify([AC1], [], many, {})[0]["evidence"]
    assert "{scratch}/junit.xml" in verify([AC1], [], {}, {})[0]["evidence"]


OLD_JS = """
    test("AC1 of long ago", () => {});
    test("AC2 kept", () => {});
    """
NEW_JS = """
    test("AC1 of long ago", () => {});
    describe("cart", () => {
      test("AC2 kept", () => {});
      test('AC-3 sums', () => {});  // AC4 is only in a comment
      it(`adds zero (AC5)`, () => {});
      test("AC12 is another", () => {});
    });
    """


class TestTitles:
    async def claims(self, root: Path, before: dict[str, str], after: dict[str, str], cases: list[str]) -> list[str]:
        base = commit(root, {"README.md": "# It", **before})
        head = commit(root, after)
        criteria = [{"id": f"AC{n}"} for n in range(1, 7)]
        found = await titled_claims(root, base, head, criteria, cases)
        return [f"{claim.criterion} by {claim.tests[0]}" for claim in found]

    async def test_a_title_counts_that_the_branch_wrote_and_that_ran(self, tmp_path: Path) -> None:
        cases = ["test::AC1 of long ago", "test::AC2 kept", "test::AC-3 sums", "test::AC4 old", "cart adds zero (AC5)"]
        found = await self.claims(
            tmp_path,
            {"cart.test.js": OLD_JS, "old.test.js": 'test("AC4 old", () => {});'},
            {"cart.test.js": NEW_JS},
            [*cases, "test::AC12 is another"],
        )
        assert found == ["AC3 by test::AC-3 sums", "AC5 by cart adds zero (AC5)"]

    async def test_a_case_that_names_its_file_counts_for_that_file_alone(self, tmp_path: Path) -> None:
        text = 'test("AC1 sums", () => {});'
        cases = ["old.test.js::AC1 sums", "new.test.js::AC1 sums"]
        found = await self.claims(tmp_path, {"old.test.js": text}, {"new.test.js": text}, cases)
        assert found == ["AC1 by new.test.js::AC1 sums"]

    @pytest.mark.parametrize(
        ("path", "text", "case"),
        [
            ("cart_test.go", "func TestAC1Sums(t *testing.T) {", "TestAC1Sums"),
            ("cart_test.go", 't.Run("AC1 sums zero", func(t *testing.T) {', "TestSums/AC1_sums_zero"),
            ("src/lib.rs", "fn ac1_sums() {", "cart::tests::ac1_sums"),
            ("src/test/java/CartTest.java", "void testAC1Sums() {", "org.shop.CartTest::testAC1Sums"),
            ("spec/cart_spec.rb", 'it "sums (AC1)" do', "spec.cart_spec::Cart sums (AC1)"),
        ],
    )
    async def test_each_language_names_in_its_way(self, tmp_path: Path, path: str, text: str, case: str) -> None:
        assert await self.claims(tmp_path, {}, {path: text}, [case]) == [f"AC1 by {case}"]

    @pytest.mark.parametrize("path", ["notes.md", "tests/test_cart.py"])
    async def test_prose_and_python_are_not_read_so(self, tmp_path: Path, path: str) -> None:
        assert await self.claims(tmp_path, {}, {path: '"AC1 sums"'}, ["AC1 sums"]) == []


async def test_trailers_name_tests_too(tmp_path: Path) -> None:
    base = commit(tmp_path, {"a.txt": "1"})
    message = (
        "Sum the cart\n\nBody.\n\nVerifies: AC1 tests/a.py::test_x[a, b], tests/a.py::test_y\nVerifies: AC2 tests/b.py"
    )
    head = commit(tmp_path, {"a.txt": "2"}, message)
    claims = await trailer_claims(tmp_path, base, head)
    assert [(row.criterion, row.tests) for row in claims] == [
        ("AC1", ("tests/a.py::test_x[a, b]", "tests/a.py::test_y")),
        ("AC2", ("tests/b.py",)),
    ]
    assert claims[0].source == f"trailer of {head[:10]}"
