"""What people forget to commit is asked for where the tests pass, and never released without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.store import rows
from tests.e2e.people import CODE, TESTS, Office, commit, git, write

READING = CODE.replace(
    'GREETINGS = {"en": "Hello", "de": "Hallo"}',
    "import json\nimport pathlib\n\n"
    'GREETINGS = json.loads((pathlib.Path(__file__).parent / "greetings.json").read_text(encoding="utf-8"))',
)
GREETINGS = {"greeter/greetings.json": '{"en": "Hello", "de": "Hallo"}'}
FILES = {
    "greeter/__init__.py": READING,
    "tests/test_greet.py": TESTS,
    "README.md": "# greeter\n\nGreets, in German too.\n",
}


async def coded(office: Office, ignored: str = "") -> tuple[int, Path]:
    """A work item whose code reads a file that is in its worktree and not on its branch."""
    if ignored:
        commit(office.project_path, "Ignore", {".gitignore": ignored})
    number = await office.request()
    await office.settle()
    (question,) = await office.questions()
    tree = Path(question.details["worktree"])
    commit(tree, "Greet in the language that is asked for", FILES)
    write(tree, GREETINGS)
    await office.answer(question, "all")
    await office.settle()
    return number, tree


async def asked(office: Office) -> rows.EscalationRow:
    (question,) = await office.questions()
    return question


def passes(checkout: Path) -> bool:
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(argv, cwd=checkout, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("ignored", ["", "*.json\n"])
async def test_a_file_that_the_code_needs_is_asked_for_and_released_with_it(office: Office, ignored: str) -> None:
    number, tree = await coded(office, ignored)

    question = await asked(office)
    assert (question.kind, question.phase) == ("gate", "I1")
    assert "pass only with files that no commit has: greeter/greetings.json" in str(question.details)

    # The wheel would leave out what is committed and ignored.
    commit(tree, "The greetings", {".gitignore": "*.log\n"})
    await office.answer(question, "retry")
    await office.settle()

    assert (await office.item(number)).state == "closed", [q.question for q in await office.questions()]
    assert passes(office.project_path)


async def test_discarding_such_a_file_lets_no_pass_stand(office: Office) -> None:
    number, tree = await coded(office)

    (tree / "greeter/greetings.json").unlink()
    await office.answer(await asked(office), "retry")
    await office.settle()

    question = await asked(office)
    assert (question.kind, question.phase) == ("gate", "I1")
    assert (await office.item(number)).state != "closed"
    assert git(office.project_path, "tag") == ""
