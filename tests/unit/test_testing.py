from __future__ import annotations

import asyncio
import contextlib
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents import testing
from core.agents.committed import run_committed
from core.agents.measured_coverage import floored, read_report, selection
from core.agents.outcomes import Counts, counted, printed_cases, read_junit, read_summary
from core.agents.runners import COVERING, how_to_cover, runner_of
from core.agents.testing import COMMAND, TestRun, configures_pytest, run_tests
from core.contract import ApmError
from tests.unit.git_project import commit, project, write

SHOP = {
    "src/shop/__init__.py": "",
    "src/shop/price.py": """
        def gross(net):
            return net * 1.2


        def never_called():
            return 1
        """,
}
VITEST = '{"scripts": {"test": "vitest run"}, "devDependencies": {"vitest": "3"}}'
TECH = {"layout": "src", "package": "shop", "test_dirs": ["tests"]}


@dataclass(frozen=True)
class Place:
    repo: Path
    scratch: Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "scratch").mkdir()
    return Place(tmp_path / "repo", tmp_path / "scratch")


class TestAProjectWithEveryKindOfTest:
    @pytest.fixture(scope="class")
    def run(self, tmp_path_factory: pytest.TempPathFactory) -> TestRun:
        root = tmp_path_factory.mktemp("every kind")
        repo = root / "Läden & mehr"
        tests = {
            "tests/test_price.py": """
                import unittest, pathlib, pytest
                from shop.price import gross

                @pytest.mark.parametrize("net", [1, 2])
                def test_gross(net):
                    assert gross(net) > net

                class TestEdge:
                    def test_wrong(self):
                        assert gross(0) == 1, "zero stays zero"

                class Legacy(unittest.TestCase):
                    def test_old_style(self):
                        self.assertEqual(gross(10), 12)

                @pytest.mark.skip
                def test_later(): ...

                @pytest.mark.xfail
                def test_known():
                    assert False

                @pytest.fixture
                def broken():
                    raise OSError("no disk")

                def test_set_up(broken): ...

                def test_leaves_a_file():
                    pathlib.Path("left over.txt").write_text("x")
                """,
            "tests/test_unimportable.py": "import no_such_module\n",
            "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--continue-on-collection-errors"\n',
        }
        commit(repo, SHOP | tests)
        return asyncio.run(run_tests(project(repo, tech=TECH), repo, root, coverage=True))

    def test_counts_come_from_the_cases(self, run: TestRun) -> None:
        assert run.measured
        assert (run.passed, run.failed, run.errors, run.skipped, run.total) == (4, 3, 2, 2, 9)

    def test_ids_are_those_that_pytest_prints(self, run: TestRun) -> None:
        outcomes = dict(run.cases)
        assert outcomes["tests/test_price.py::test_gross[2]"] == "passed"
        assert outcomes["tests/test_price.py::TestEdge::test_wrong"] == "failed"
        assert outcomes["tests/test_price.py::Legacy::test_old_style"] == "passed"
        assert outcomes["tests/test_unimportable.py"] == "error"

    def test_failures_carry_their_text(self, run: TestRun) -> None:
        texts = dict(run.failures)
        assert "zero stays zero" in texts["tests/test_price.py::TestEdge::test_wrong"]
        assert "no_such_module" in texts["tests/test_unimportable.py"]
        assert "no disk" in texts["tests/test_price.py::test_set_up"]

    def test_coverage_is_of_the_worktrees_code(self, run: TestRun) -> None:
        assert run.coverage == 75.0
        assert not run.reason

    def test_only_what_the_tests_wrote_is_left_behind(self, run: TestRun) -> None:
        assert run.left == ("left over.txt",)

    def test_evidence_shows_the_commands(self, run: TestRun) -> None:
        tests, report = run.evidence
        assert tests["command"][1:4] == ["-m", "coverage", "run"]
        assert tests["exit_code"] == 1
        assert tests["tool_version"]
        assert report["command"][1:4] == ["-m", "coverage", "json"]


async def test_options_of_the_project_that_would_spoil_the_measurement_are_overruled(place: Place) -> None:
    options = (
        '[tool.pytest.ini_options]\naddopts = "-n 2 --cov=shop --cov-fail-under=100"\nfilterwarnings = ["error"]\n'
    )
    test = "from shop.price import gross\ndef test_gross():\n    assert gross(1)\n"
    commit(place.repo, SHOP | {"pyproject.toml": options, "tests/test_price.py": test})
    run = await run_tests(project(place.repo, tech={"layout": "src"}), place.repo, place.scratch, coverage=True)
    assert (run.passed, run.failed, run.coverage) == (1, 0, 75.0)


@pytest.mark.parametrize("addopts", ["-p no:xdist -p no:pytest_cov", "--disable-plugin-autoload"])
async def test_a_project_that_leaves_installed_plugins_alone_is_measured_as_well(place: Place, addopts: str) -> None:
    options = f'[tool.pytest.ini_options]\naddopts = "{addopts}"\n'
    test = "from shop.price import gross\ndef test_gross():\n    assert gross(1)\n"
    commit(place.repo, SHOP | {"pyproject.toml": options, "tests/test_price.py": test})
    run = await run_tests(project(place.repo, tech={"layout": "src"}), place.repo, place.scratch, coverage=True)
    assert (run.reason, run.passed, run.coverage) == ("", 1, 75.0)


async def test_a_configuration_in_a_folder_above_is_not_the_projects(place: Place) -> None:
    (place.repo.parent / "pytest.ini").write_text("[pytest]\naddopts = --no-such-plugin\ntestpaths = elsewhere\n")
    commit(place.repo, {"pyproject.toml": '[project]\nname = "x"\n', "tests/test_x.py": "def test_x(): ...\n"})
    run = await run_tests(project(place.repo), place.repo, place.scratch, coverage=False)
    assert run.cases == (("tests/test_x.py::test_x", "passed"),)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pytest.ini", "", True),
        ("tox.ini", "[pytest]\n", True),
        ("tox.ini", "[tox]\n", False),
        ("setup.cfg", "[tool:pytest]\n", True),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", True),
        ("pyproject.toml", '[tool.pytest]\nini_options.testpaths = "t"\n', True),
        ("pyproject.toml", "[tool.ruff]\n", False),
        ("pyproject.toml", "[tool.", True),
    ],
)
def test_where_a_project_configures_pytest(tmp_path: Path, name: str, text: str, expected: bool) -> None:
    (tmp_path / name).write_text(text)
    assert configures_pytest(tmp_path) is expected


async def test_a_missing_plugin_is_reported_in_words(place: Place) -> None:
    commit(place.repo, {"pytest.ini": "[pytest]\naddopts = --no-such-plugin=5\n", "test_x.py": "def test_x(): ...\n"})
    run = await run_tests(project(place.repo), place.repo, place.scratch, coverage=False)
    assert not run.measured
    assert "unrecognized arguments: --no-such-plugin=5" in run.reason


async def test_a_project_without_tests_says_so(place: Place) -> None:
    commit(place.repo, SHOP)
    run = await run_tests(project(place.repo, tech=TECH), place.repo, place.scratch, coverage=True)
    assert (run.measured, run.total, run.coverage) == (True, 0, None)
    assert run.reason == "no tests ran"


async def test_a_toolchain_that_the_first_tests_of_a_branch_need_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(place.repo, {"go.mod": "module x\n", "a.go": "package x\n"})
    commit(place.repo, {"a_test.go": 'package x\n\nimport "testing"\n\nfunc TestAC1(t *testing.T) {}\n'})
    tools = place.scratch / "bin"
    tools.mkdir()
    (tools / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tools))
    done = await run_tests(project(place.repo, tech={"test_runner": None}), place.repo, place.scratch, coverage=True)
    assert (done.measured, done.reason) == (
        False,
        "The program 'go' was not found; install it, or correct the command.",
    )


@pytest.mark.parametrize(
    ("known", "files", "runner"),
    [
        (None, {"package.json": '{"scripts": {"test": "node --test"}}', "test/a.test.js": ""}, "npm"),
        (None, {"README.md": ""}, ""),
        ("mocha", {"package.json": VITEST}, "vitest"),
        ("npm", {"package.json": "{}", "tools/test_it.py": "import pytest\n"}, "npm"),
        ("go", {"tools/test_it.py": "import pytest\n"}, "go"),
    ],
)
async def test_the_runner_is_that_of_the_branch(
    place: Place, known: str | None, files: dict[str, str], runner: str
) -> None:
    commit(place.repo, files)
    assert await runner_of(project(place.repo, tech={"test_runner": known}), place.repo) == runner


@pytest.mark.parametrize(
    ("runner", "words"),
    [
        ("npm", "node --test --experimental-test-coverage"),
        ("cargo", "cargo llvm-cov"),
        ("go", "sh -c 'go test -v -cover"),
    ],
)
def test_coverage_is_asked_for_in_the_words_of_the_runner(runner: str, words: str) -> None:
    advice = how_to_cover({"name": "the shop"}, runner, "lcov.info")
    assert f"apm project set 'the shop' --test \"{words}" in advice
    assert "coverage run" not in advice


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
async def test_the_command_that_is_named_for_node_is_measured(place: Place) -> None:
    commit(
        place.repo,
        {
            "package.json": '{"scripts": {"test": "node --test"}}',
            "sum.js": "module.exports = (a, b) => a + b;\n",
            "test/sum.test.js": """
                const test = require("node:test");
                const assert = require("node:assert");
                const sum = require("../sum.js");
                test("AC1 sums", () => assert.equal(sum(1, 2), 3));
                """,
        },
    )
    plain = await run_tests(project(place.repo), place.repo, place.scratch, coverage=True)
    assert (plain.passed, plain.coverage, plain.cases[0]) == (1, None, ("AC1 sums", "passed"))
    assert COVERING["npm"] in plain.suggestion
    named = project(place.repo, test=shlex.split(COVERING["npm"]))
    done = await run_tests(named, place.repo, place.scratch, coverage=True)
    assert (done.passed, done.coverage) == (1, 100.0)
    assert [case.rpartition("::")[2] for case, _ in done.cases] == ["AC1 sums"]


async def test_uncommitted_work_is_not_measured(place: Place) -> None:
    commit(place.repo, {"test_x.py": "def test_x(): ...\n"})
    (place.repo / "new_module.py").write_text("x = 1\n")
    (place.repo / "notes.txt").write_text("left by somebody\n")
    run = await run_committed(project(place.repo), place.repo, place.scratch, coverage=False)
    assert not run.measured
    assert "new_module.py" in run.reason
    assert "notes.txt" not in run.reason


@pytest.mark.parametrize("name", [".coveragerc", "tests/conftest.py", "pytest.ini", "vite.config.mjs"])
async def test_settings_that_git_ignores_are_uncommitted_work(place: Place, name: str) -> None:
    commit(place.repo, {"tests/test_x.py": "def test_x(): ...\n", ".gitignore": f"{name}\n"})
    write(place.repo, {name: ""})
    run = await run_committed(project(place.repo), place.repo, place.scratch, coverage=False)
    assert (run.measured, run.total) == (False, 0)
    assert f"work that is not committed ({name})" in run.reason


async def test_settings_in_environments_and_builds_are_not_the_projects(place: Place) -> None:
    commit(place.repo, {"tests/test_x.py": "def test_x(): ...\n", ".gitignore": "env\n.venv\nbuild\n"})
    write(place.repo, {f"{folder}/lib/conftest.py": "" for folder in ("env", ".venv", "build")})
    run = await run_committed(project(place.repo), place.repo, place.scratch, coverage=False)
    assert (run.measured, run.passed) == (True, 1)


async def test_a_run_that_writes_settings_of_its_own_tools_does_not_count(place: Place) -> None:
    test = """
        import pathlib
        from shop.price import gross

        def test_gross():
            pathlib.Path(".coveragerc").write_text("[report]\\nexclude_also = def never_called")
            assert gross(10) == 12
        """
    commit(place.repo, SHOP | {"tests/test_price.py": test, ".gitignore": ".coveragerc\n"})
    run = await run_committed(project(place.repo, tech=TECH), place.repo, place.scratch, coverage=True)
    assert (run.measured, run.total, run.passed, run.coverage) == (False, 0, 0, None)
    assert run.reason == "the run of the tests does not count: it wrote settings of its own tools (.coveragerc)"


class TestTheProjectsOwnCommand:
    async def test_its_summary_is_read_and_its_coverage_data_found(self, place: Place) -> None:
        test = """
            import unittest
            from shop.price import gross

            class Prices(unittest.TestCase):
                def test_gross(self):
                    self.assertEqual(gross(10), 12)
            """
        commit(place.repo, SHOP | {"tests/__init__.py": "", "tests/test_price.py": test})
        argv = ["{python}", "-m", "coverage", "run", "--source=src", "-m", "unittest", "tests.test_price"]
        settings = project(place.repo, tech=TECH, test=argv)
        run = await run_tests(settings, place.repo, place.scratch, coverage=True)
        assert (run.passed, run.failed, run.total, run.coverage) == (1, 0, 1, 75.0)

    async def test_it_may_write_junit_to_the_scratch_folder(self, place: Place) -> None:
        commit(place.repo, {"test_x.py": "def test_x(): ...\n"})
        argv = ["{python}", "-m", "pytest", "-q", "--junitxml={scratch}/junit.xml"]
        run = await run_tests(project(place.repo, test=argv), place.repo, place.scratch, coverage=True)
        assert run.cases == (("test_x.py::test_x", "passed"),)
        assert run.coverage is None
        assert "neither coverage data nor a report" in run.reason

    async def test_failing_without_a_failing_test_is_a_failure(self, place: Place) -> None:
        commit(place.repo, {"a.txt": "a"})
        argv = ["{python}", "-c", "print('3 passed in 0.01s'); raise SystemExit(3)"]
        run = await run_tests(project(place.repo, test=argv), place.repo, place.scratch, coverage=False)
        assert (run.passed, run.failed) == (3, 1)
        assert run.failures[0][0] == COMMAND
        assert "exit code 3" in run.failures[0][1]

    async def test_one_that_hangs_is_stopped_and_reported(self, place: Place) -> None:
        commit(place.repo, {"a.txt": "a"})
        argv = ["{python}", "-c", "import time; time.sleep(600)"]
        settings = project(place.repo, test=argv, time_limit=0.3)
        run = await run_tests(settings, place.repo, place.scratch, coverage=True)
        assert not run.measured
        assert "did not end within 0.3 s" in run.reason

    async def test_one_that_is_not_installed_is_reported(self, place: Place) -> None:
        commit(place.repo, {"a.txt": "a"})
        run = await run_tests(project(place.repo, test=["no-such-runner"]), place.repo, place.scratch, coverage=True)
        assert not run.measured
        assert "no-such-runner" in run.reason

    async def test_one_that_prints_no_figures_is_not_measured(self, place: Place) -> None:
        commit(place.repo, {"a.txt": "a"})
        settings = project(place.repo, test=["{python}", "-c", "print('all fine')"])
        run = await run_tests(settings, place.repo, place.scratch, coverage=False)
        assert not run.measured
        assert "no count of tests" in run.reason

    PRINTS = "print(*(f'--- PASS: TestAC{n}' for n in range(99)), '--- FAIL: TestLast', sep=chr(10))"

    async def test_one_that_prints_more_than_is_kept_is_counted_in_no_part(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit(place.repo, {"a.txt": "a"})
        settings = project(place.repo, test=["{python}", "-c", self.PRINTS])
        whole = await run_tests(settings, place.repo, place.scratch, coverage=False)
        assert (whole.passed, whole.failed) == (99, 1)
        monkeypatch.setattr(testing, "OUTPUT_BYTES", 300)
        cut = await run_tests(settings, place.repo, place.scratch, coverage=False)
        assert (cut.measured, cut.total, cut.cases) == (False, 0, ())
        assert "too much to count from" in cut.reason
        assert "JUnit XML" in cut.suggestion

    async def test_one_that_prints_more_than_is_kept_is_counted_by_its_report(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit(place.repo, {"a.txt": "a"})
        report = "<testsuite><testcase classname='Cart' name='adds'/></testsuite>"
        script = f'{self.PRINTS}; open("{{scratch}}/junit.xml", "w").write("{report}")'
        monkeypatch.setattr(testing, "OUTPUT_BYTES", 300)
        settings = project(place.repo, test=["{python}", "-c", script])
        run = await run_tests(settings, place.repo, place.scratch, coverage=False)
        assert run.cases == (("Cart::adds", "passed"),)


class TestInterpreters:
    @pytest.fixture
    def bare(self, place: Place) -> Path:
        """A virtual environment with nothing in it."""
        home = place.scratch / "bare"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
        return home

    async def test_one_without_pytest_names_the_command_that_installs_it(self, place: Place, bare: Path) -> None:
        commit(place.repo, {"test_x.py": "def test_x(): ...\n"})
        settings = project(place.repo, python=str(bare / "bin/python"))
        run = await run_tests(settings, place.repo, place.scratch, coverage=True)
        assert not run.measured
        assert "no module named pytest" in run.reason
        assert "bin/python -m pip install pytest coverage" in run.suggestion

    async def test_one_that_imports_another_copy_of_the_package_is_refused(self, place: Place, bare: Path) -> None:
        checkout = place.scratch / "checkout"
        commit(checkout, {"shop/__init__.py": ""})
        library = next(bare.glob("lib/python*/site-packages"))
        (library / "extra.pth").write_text(f"{sysconfig.get_path('purelib')}\n{checkout}\n")
        commit(place.repo, {"test_x.py": "import shop\ndef test_x(): ...\n"})
        settings = project(place.repo, tech={"package": "shop"}, python=str(bare / "bin/python"))
        run = await run_tests(settings, place.repo, place.scratch, coverage=True)
        assert not run.measured
        assert f"finds {checkout}" in run.reason

    async def test_one_that_does_not_exist_is_named(self, place: Place) -> None:
        commit(place.repo, {"test_x.py": "def test_x(): ...\n"})
        run = await run_tests(project(place.repo, python="nowhere/python"), place.repo, place.scratch, coverage=True)
        assert not run.measured
        assert "nowhere/python" in run.reason


class TestReports:
    def read(self, tmp_path: Path, text: str) -> Counts:
        report = tmp_path / "junit.xml"
        report.write_text(text)
        return counted(read_junit(report, tmp_path))

    def test_a_document_type_is_refused(self, tmp_path: Path) -> None:
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>'
        with pytest.raises(ApmError, match="document type"):
            self.read(tmp_path, bomb)

    def test_broken_xml_is_refused_in_words(self, tmp_path: Path) -> None:
        with pytest.raises(ApmError, match="no well-formed XML"):
            self.read(tmp_path, "<testsuite><testcase>")

    def test_a_test_that_fails_twice_is_one_error(self, tmp_path: Path) -> None:
        case = '<testcase classname="a" name="b"><{0} message="m"/></testcase>'
        text = f"<testsuite>{case.format('failure')}{case.format('error')}</testsuite>"
        assert self.read(tmp_path, text) == Counts(failed=1, errors=1)

    def test_foreign_class_names_stay_as_they_are(self, tmp_path: Path) -> None:
        report = tmp_path / "junit.xml"
        report.write_text(
            '<testsuites><testsuite><testcase classname="Cart" name="adds &amp; sums"/></testsuite></testsuites>'
        )
        assert [case.id for case in read_junit(report, tmp_path)] == ["Cart::adds & sums"]

    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(self, tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
        report = tmp_path_factory.getbasetemp() / "any.xml"
        report.write_bytes(data)
        with contextlib.suppress(ApmError):
            read_junit(report, report.parent)


@pytest.mark.parametrize(
    ("output", "runner", "counts"),
    [
        ("= 1 failed, 12 passed, 3 skipped, 2 errors in 0.31s =", "pytest", Counts(12, 3, 2, 3)),
        ("==== 2 passed, 1 xfailed, 4 warnings in 61.20s (0:01:01) ====", "pytest", Counts(2, 0, 0, 1)),
        ("3 passed in 0.02s", "pytest", Counts(3)),
        ("Ran 5 tests in 0.001s\n\nOK (skipped=1)", "unittest", Counts(4, 0, 0, 1)),
        ("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2, expected failures=1)", "unittest", Counts(1, 3, 2, 1)),
        ("Ran 0 tests in 0.000s\n\nNO TESTS RAN", "unittest", Counts()),
        ("--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n--- SKIP: TestC (0.00s)\nFAIL", "go", Counts(1, 1, 0, 1)),
        (
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n"
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            "cargo",
            Counts(4, 2, 0, 1),
        ),
        ("Tests:       1 failed, 2 skipped, 3 passed, 6 total\nTime: 1 s", "jest", Counts(3, 1, 0, 2)),
        (" Test Files  1 passed (1)\n      Tests  1 failed | 3 passed (4)", "jest", Counts(3, 1)),
        ("[INFO] Tests run: 5, Failures: 1, Errors: 1, Skipped: 1", "maven", Counts(2, 2, 1, 1)),
        ("  3 passing (10ms)\n  1 pending\n  2 failing\n", "mocha", Counts(3, 2, 0, 1)),
        ("# tests 4\n# pass 3\n# fail 1\n# skipped 0", "node", Counts(3, 1)),
    ],
)
def test_summaries_of_known_runners(output: str, runner: str, counts: Counts) -> None:
    assert read_summary(f"building\n{output}\n") == (runner, counts)


@pytest.mark.parametrize(
    ("output", "cases"),
    [
        (
            "--- PASS: TestA (0.00s)\n    --- FAIL: TestA/AC1_zero (0.00s)\n--- SKIP: TestC (0.00s)\nok",
            {"TestA": "passed", "TestA/AC1_zero": "failed", "TestC": "skipped"},
        ),
        (
            "test tests::ac1 ... ok\ntest b - should panic ... FAILED\ntest c ... ignored\ntest result: FAILED.",
            {"tests::ac1": "passed", "b": "failed", "c": "skipped"},
        ),
        (
            "TAP version 13\n# Subtest: AC1 minus\nok 1 - AC1 minus\n    not ok 2 - b c\nok 3 - d # SKIP later\n1..3",
            {"AC1 minus": "passed", "b c": "failed", "d": "skipped"},
        ),
        (
            "▶ cart\n  ✔ AC1 minus (0.5ms)\n  ✖ AC2 (1 of 2) (12.5ms)\n✓ plain\n  ✓ by jest (2 ms)\n",
            {"AC1 minus": "passed", "AC2 (1 of 2)": "failed", "plain": "passed", "by jest": "passed"},
        ),
        ("all fine", {}),
    ],
)
def test_tests_that_a_runner_prints_are_known_by_name(output: str, cases: dict[str, str]) -> None:
    assert {case.id: case.outcome for case in printed_cases(output)} == cases


@pytest.mark.parametrize("output", ["", "all fine", "ok  \texample.org/shop\t0.01s", "12 tests written"])
def test_output_without_figures_gives_none(output: str) -> None:
    assert read_summary(output) is None


def test_a_figure_of_any_length_is_read_and_a_failure_stays_one() -> None:
    found = read_summary(f"1 passed, {'9' * 5_000} failed in 1s")
    assert found is not None
    assert (found[1].passed, found[1].failed > 0) == (1, True)


@given(st.text(max_size=300))
def test_reading_a_summary_never_raises(output: str) -> None:
    read_summary(output)
    printed_cases(output)


@pytest.mark.parametrize(
    "output",
    [
        "\n" * 1_000_000 + "x",
        " " * 1_000_000 + "x",
        "=" * 1_000_000,
        "Tests run: 1, " + "0" * 1_000_000 + "x",
        "test result: ok. " + "1" * 500_000 + "a" * 500_000 + "-",
        "test result: ok. " + "a " * 500_000 + "-",
        "Tests: 1 passed " + " " * 1_000_000 + "x",
        "ok 1 - " + "a " * 500_000 + "#",
        "✓ " + "1 " * 500_000 + "x",
    ],
)
def test_a_summary_is_looked_for_once_over_however_much_was_printed(output: str) -> None:
    """Looked for anew from each character, any of these takes hours."""
    read_summary(output)

    assert len(printed_cases(output)) <= 1


class TestCoverage:
    @pytest.mark.parametrize(
        ("name", "text", "percent"),
        [
            ("coverage.json", '{"files": {}, "totals": {"num_statements": 3, "percent_covered": 66.66666}}', 66.66),
            (
                "coverage.xml",
                '<?xml version="1.0" ?>\n<coverage version="7" line-rate="0.9051" branch-rate="0"/>',
                90.51,
            ),
            ("lcov.info", "SF:a.js\nLF:10\nLH:9\nend_of_record\nSF:b.js\nLF:10\nLH:9\nend_of_record\n", 90.0),
            ("coverage-summary.json", '{"total": {"lines": {"total": 4, "covered": 3, "pct": 75}}}', 75.0),
        ],
    )
    def test_reports_in_known_formats(self, tmp_path: Path, name: str, text: str, percent: float) -> None:
        report = tmp_path / name
        report.write_text(text)
        assert read_report(report, tmp_path).percent == percent

    @pytest.mark.parametrize("name", ["coverage.json", "coverage.xml", "lcov.info", "coverage-summary.json"])
    def test_a_broken_report_gives_a_reason(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("{}")
        figure = read_report(tmp_path / name, tmp_path)
        assert figure.percent is None
        assert name in figure.reason

    def test_files_outside_the_worktree_void_the_figure(self, tmp_path: Path) -> None:
        report = tmp_path / "coverage.json"
        report.write_text('{"files": {"/elsewhere/shop/price.py": {}}, "totals": {"num_statements": 1}}')
        figure = read_report(report, tmp_path / "worktree")
        assert figure.percent is None
        assert "outside the worktree" in figure.reason

    @given(st.floats(0, 100, allow_nan=False))
    def test_percentages_are_never_rounded_up(self, percent: float) -> None:
        assert floored(percent) <= percent + 1e-7

    @pytest.mark.parametrize(
        ("settings", "tech", "config", "options"),
        [
            ({"coverage_source": ["lib", "src"]}, {"package": "shop"}, {"source": True}, ["--source=lib,src"]),
            ({}, {"package": "shop"}, {"source": True}, []),
            ({}, {"package": "shop"}, {}, ["--source=src/shop"]),
            ({}, {"package": "script"}, {}, ["--include=script.py"]),
            ({}, {"test_dirs": ["qa"]}, {}, ["--source=.", "--omit=qa/*,test_*.py,conftest.py,setup.py"]),
        ],
    )
    def test_what_is_measured(
        self,
        tmp_path: Path,
        settings: dict[str, object],
        tech: dict[str, object],
        config: dict[str, bool],
        options: list[str],
    ) -> None:
        (tmp_path / "src/shop").mkdir(parents=True)
        (tmp_path / "script.py").touch()
        assert selection({"settings": settings, "tech": tech}, tmp_path, config) == options
