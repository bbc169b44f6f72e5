"""People do the coding: apm asks, reads the commits, and takes the work through to a release."""

from __future__ import annotations

from pathlib import Path

from core.orchestration import work_items
from core.store import reads
from tests.e2e.people import CODE, REQUEST, TESTS, Office, commit, git


async def test_a_person_commits_and_apm_releases(office: Office) -> None:
    number = await office.request()
    await office.settle()
    (question,) = await office.questions()
    assert question.details["branch"] == f"apm/{number}-greet-in-german"
    tree = Path(question.details["worktree"])
    assert question.details["proof"] == (
        "R1 counts AC1 once a passing test proves it: name it in a test of the branch (def test_ac1_…), "
        "or in a commit trailer `Verifies: AC1 <test id>`"
    )

    commit(
        tree,
        "Greet in the language that is asked for",
        {
            "greeter/__init__.py": CODE,
            "tests/test_greet.py": TESTS,
            "README.md": "# greeter\n\nGreets, in German too.\n",
        },
    )
    await office.answer(question, "all")
    await office.settle()

    assert (await office.item(number)).state == "closed", [q.question for q in await office.questions()]
    assert git(office.project_path, "describe", "--tags", "main") == "v0.2.0"
    assert "Hallo" in (office.project_path / "greeter" / "__init__.py").read_text()
    assert git(office.project_path, "status", "--porcelain") == ""
    assert not tree.exists()


async def test_what_a_gate_misses_is_mended_on_the_branch_and_nobody_is_asked_twice(office: Office) -> None:
    number = await office.request()
    await office.settle()
    (question,) = await office.questions()
    tree = Path(question.details["worktree"])
    silent = CODE.replace('    """A greeting in a language; raises ValueError for one that is not known."""\n', "")
    commit(tree, "Greet", {"greeter/__init__.py": silent, "tests/test_greet.py": TESTS})
    await office.answer(question, "all")
    await office.settle()
    (asked,) = await office.questions()
    assert (asked.phase, asked.missing, asked.recommended) == ("I1", ["docs: not updated"], "retry")
    assert (asked.details["branch"], asked.details["worktree"]) == (f"apm/{number}-greet-in-german", str(tree))

    commit(tree, "Say so in the README", {"README.md": "# greeter\n\nGreets, in German too.\n"})
    await office.answer(asked, "retry")
    await office.settle()

    assert (await office.item(number)).state == "closed", [q.question for q in await office.questions()]


async def test_setup_commands_run_once_in_the_worktree_before_the_code_is_needed(tmp_path: Path) -> None:
    count = (
        "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.mkdir(exist_ok=True); (p / 'log').open('a').write('x')"
    )
    office = Office(tmp_path, settings={"setup": [["{python}", "-c", count, "{environment}"]]})
    await office.engine.start()
    try:
        number = await office.request()
        await office.settle()
        (question,) = await office.questions()
        await office.answer(question, "done")
        await office.settle()

        assert (office.ws.state / "environments" / "greeter" / "log").read_text() == "x"
        commands = await office.ws.store.read(lambda r: reads.evidence(r, work_item=number))
        assert [(c.note, c.exit_code) for c in commands if c.note == "setup"] == [("setup", 0)]
    finally:
        await office.close()


async def test_a_setup_command_that_fails_is_a_question_that_names_it(tmp_path: Path) -> None:
    office = Office(tmp_path, settings={"setup": [["false"]]})
    await office.engine.start()
    try:
        await office.request()
        await office.settle()

        (question,) = await office.questions()
        assert (question.kind, question.phase) == ("error", "I1")
        assert "setup command false of greeter ended with exit code 1. Mend it" in question.question
    finally:
        await office.close()


async def test_a_task_whose_title_is_cut_is_asked_for_without_a_full_stop_after_the_ellipsis(office: Office) -> None:
    task = "1. Greet in the language that is asked for"
    await office.request(body=REQUEST.replace(task, f"{task} by the desktop. {'Always' * 20}"))
    await office.settle()

    (question,) = await office.questions()
    assert question.question.endswith(": Greet in the language that is asked for by the desktop…")


async def test_done_without_a_commit_is_asked_again(office: Office) -> None:
    await office.request()
    await office.settle()
    (question,) = await office.questions()

    await office.answer(question, "done")
    await office.settle()

    (again,) = await office.questions()
    assert again.id != question.id
    assert "No commit has been added" in again.question


async def test_an_answer_that_an_error_left_unused_is_not_asked_for_again(office: Office) -> None:
    number = await office.request()
    await office.settle()
    (question,) = await office.questions()
    tree, elsewhere = Path(question.details["worktree"]), office.project_path.with_name("moved")
    commit(tree, "Greet", {"greeter/__init__.py": CODE, "tests/test_greet.py": TESTS, "README.md": "# g\n"})
    office.project_path.rename(elsewhere)
    await office.answer(question, "all")
    await office.settle()
    (error,) = await office.questions()
    assert (error.kind, error.phase) == ("error", "I1")
    assert "`apm project set greeter --path DIR`" in error.question

    elsewhere.rename(office.project_path)
    await office.answer(error, "retry")
    await office.settle()

    assert (await office.item(number)).state == "closed", [q.question for q in await office.questions()]


async def test_the_checkout_is_untouched_until_the_release(office: Office) -> None:
    before = git(office.project_path, "rev-parse", "HEAD"), git(office.project_path, "status", "--porcelain")
    (office.project_path / "notes.txt").write_text("mine, not committed")
    (office.project_path / "README.md").write_text("changed, not committed")

    await office.request()
    await office.settle()

    assert git(office.project_path, "rev-parse", "HEAD") == before[0]
    assert (office.project_path / "README.md").read_text() == "changed, not committed"
    assert git(office.project_path, "branch", "--show-current") == "main"


async def test_a_checkout_with_uncommitted_changes_is_never_touched_and_the_release_asks(office: Office) -> None:
    number = await office.request()
    await office.settle()
    (question,) = await office.questions()
    tree = Path(question.details["worktree"])
    commit(tree, "Greet", {"greeter/__init__.py": CODE, "tests/test_greet.py": TESTS, "README.md": "# g\n"})
    (office.project_path / "README.md").write_text("changed, not committed")
    head = git(office.project_path, "rev-parse", "main")

    await office.answer(question, "all")
    await office.settle()

    (asked,) = await office.questions()
    assert asked.phase == "O1"
    assert (office.project_path / "README.md").read_text() == "changed, not committed"
    assert git(office.project_path, "rev-parse", "main") == head
    assert git(office.project_path, "tag") == ""
    git(office.project_path, "checkout", "--", "README.md")
    await office.answer(asked, "retry")
    await office.settle()
    assert (await office.item(number)).state == "closed"
    assert git(office.project_path, "tag") == "v0.2.0"


async def test_two_work_items_of_one_project_are_released_one_after_the_other(office: Office) -> None:
    first = await office.request()
    second = await office.request("Say goodbye", REQUEST_GOODBYE)
    await office.settle()
    for question in await office.questions():
        tree = Path(question.details["worktree"])
        if question.work_item == first:
            commit(tree, "Greet", {"greeter/__init__.py": CODE, "tests/test_greet.py": TESTS, "README.md": "# g\n"})
        else:
            commit(tree, "Goodbye", {**GOODBYE, "docs/goodbye.md": "# Goodbye\n"})
        await office.answer(question, "all")
    await office.settle()

    assert [(await office.item(n)).state for n in (first, second)] == ["closed", "closed"], [
        q.question + str(q.missing) for q in await office.questions()
    ]
    assert git(office.project_path, "tag").split() == ["v0.2.0", "v0.3.0"]
    runs = await office.ws.store.read(lambda r: (reads.phase_runs(r, first), reads.phase_runs(r, second)))
    outcomes = [[(p.phase, p.outcome) for p in found if p.phase in ("R1", "O1")] for found in runs]
    # Whoever came second was reviewed again on top of the other's release.
    assert sorted(len(o) for o in outcomes) in ([2, 4], [2, 3])


GOODBYE = {
    "greeter/farewell.py": (
        '"""Says goodbye."""\n\n\ndef farewell(name: str) -> str:\n    """A farewell."""\n    return f"Bye, {name}"\n'
    ),
    "tests/test_farewell.py": (
        "from greeter.farewell import farewell\n\n\n"
        'def test_farewell_ac1() -> None:\n    """AC1, AC2, AC3"""\n    assert farewell("Ada") == "Bye, Ada"\n'
    ),
}

REQUEST_GOODBYE = """## Background
Customers leave the program without a word, and three of them took it for a crash last week.

## Who
Customers who close greeter.

## Value
So that nobody takes the end for a crash.

## When
In the release of this week.

## Where
In the package `greeter`.

## How
Add a module beside the greeting.

## Acceptance criteria
- `farewell("Ada")` must return "Bye, Ada".
- The greeting must stay as it is.
- The module must have a docstring.

## Tasks
1. Say goodbye (AC1, AC2, AC3)

## Risks
- The words might be taken as rude. Mitigation: the support team reads them before the release.
"""


async def test_what_a_merge_of_the_target_brought_proves_nothing_of_the_branch_itself(office: Office) -> None:
    second = await office.request("Say goodbye", REQUEST_GOODBYE)
    await office.settle()
    (asked,) = await office.questions()
    tree = Path(asked.details["worktree"])
    await greeting_released(office)

    git(tree, "merge", "--quiet", "main")
    commit(tree, "Goodbye", {"greeter/farewell.py": GOODBYE["greeter/farewell.py"]})
    await office.answer(asked, "all")
    await office.settle()

    (question,) = await office.questions()
    assert (question.work_item, question.phase) == (second, "I1")
    assert question.missing == ["tests: not updated, 3 passed, 0 failed"]
    commit(
        tree,
        "Try it",
        {"tests/test_farewell.py": GOODBYE["tests/test_farewell.py"].replace("AC", "Number ").replace("_ac1", "")},
    )
    await office.answer(question, "retry")
    await office.settle()
    gates = await office.ws.store.read(lambda r: reads.gate_results(r, second))
    judged = {criterion["name"]: criterion["actual"] for criterion in gates[-1].criteria}
    assert (gates[-1].phase, judged["criteria_verified"]) == ("R1", "0 of 3 verified")


async def test_what_a_branch_that_merged_the_target_hands_on_names_its_own_work_alone(office: Office) -> None:
    second = await office.request("Say goodbye", REQUEST_GOODBYE)
    await office.settle()
    (asked,) = await office.questions()
    tree = Path(asked.details["worktree"])
    await greeting_released(office)

    git(tree, "merge", "--quiet", "--no-edit", "main")
    own = commit(tree, "Goodbye", {**GOODBYE, "docs/goodbye.md": "# Goodbye\n"})
    merge = git(tree, "rev-parse", "HEAD~1")
    await office.answer(asked, "all")
    await office.settle()

    assert (await office.item(second)).state == "closed", [q.question for q in await office.questions()]
    artifacts = await office.ws.store.read(lambda r: reads.artifacts(r, second))
    (bundle,) = [a for a in artifacts if a.type == "build.bundle"]
    content = await office.ws.store.read(lambda r: reads.artifact_content(r, bundle.id))
    (task,) = content["tasks"]
    assert set(task["commits"]) <= {own, merge}
    assert task["files"] == ["docs/goodbye.md", "greeter/farewell.py", "tests/test_farewell.py"]
    assert content["docs"]["files"] == ["docs/goodbye.md"]


async def test_what_others_left_on_the_target_is_no_finding_of_the_branch_that_is_put_on_top(office: Office) -> None:
    number, _ = await ready_to_release(office)
    listing = (
        'import subprocess  # pragma: no cover\n\nsubprocess.call("ls " + __name__, shell=True)  # pragma: no cover\n'
    )
    commit(office.project_path, "List", {"greeter/listing.py": listing})

    await go_on(office, number)

    assert (await office.item(number)).state == "closed", [q.question for q in await office.questions()]


async def greeting_released(office: Office) -> None:
    """Another work item of the project, released: its tests name AC1 to AC3."""
    number = await office.request()
    await office.settle()
    (question,) = [q for q in await office.questions() if q.work_item == number]
    tree = Path(question.details["worktree"])
    commit(tree, "Greet", {"greeter/__init__.py": CODE, "tests/test_greet.py": TESTS, "README.md": "# g\n"})
    await office.answer(question, "all")
    await office.settle()
    assert (await office.item(number)).state == "closed"


async def ready_to_release(office: Office) -> tuple[int, Path]:
    """A work item whose code is committed and reviewed, stopped before its release; its worktree."""
    number = await office.request()
    await office.ws.store.write(lambda tx: work_items.stop_after(tx, number, "R1"))
    await office.settle()
    (question,) = await office.questions()
    tree = Path(question.details["worktree"])
    commit(tree, "Greet", {"greeter/__init__.py": CODE, "tests/test_greet.py": TESTS, "README.md": "# g\n"})
    await office.answer(question, "all")
    await office.settle()
    assert (await office.item(number)).cells[3].status == "passed"
    return number, tree


async def go_on(office: Office, number: int) -> None:
    await office.ws.store.write(lambda tx: work_items.resume(tx, number, "ada"))
    await office.settle()


async def test_a_commit_after_the_review_is_reviewed_whatever_it_claims_to_be(office: Office) -> None:
    number, tree = await ready_to_release(office)
    commit(tree, "Tidy up\n\nApm-Agent: versioner\n", {"greeter/more.py": "MORE = 1\n"})

    await go_on(office, number)

    runs = await office.ws.store.read(lambda r: reads.phase_runs(r, number))
    assert [(p.phase, p.outcome) for p in runs][4:6] == [("O1", "void"), ("R1", runs[5].outcome)]


async def test_work_that_is_not_committed_is_neither_released_nor_lost(office: Office) -> None:
    number, tree = await ready_to_release(office)
    (tree / "greeter" / "more.py").write_text("MORE = 1\n")

    await go_on(office, number)

    (asked,) = await office.questions()
    assert "not committed (greeter/more.py)" in asked.question
    assert (tree / "greeter" / "more.py").read_text() == "MORE = 1\n"
    assert git(office.project_path, "tag") == ""


async def test_a_cancelled_worktree_with_uncommitted_work_stays(office: Office) -> None:
    number, tree = await ready_to_release(office)
    (tree / "notes.txt").write_text("mine")

    await office.ws.store.write(lambda tx: work_items.cancel(tx, number, "ada"))
    await office.settle()

    assert (tree / "notes.txt").read_text() == "mine"


async def test_a_worktree_off_its_branch_is_not_judged(office: Office) -> None:
    number, tree = await ready_to_release(office)
    git(tree, "checkout", "--quiet", "--detach")

    await go_on(office, number)

    (asked,) = await office.questions()
    assert f"instead of apm/{number}-greet-in-german" in asked.question
    assert git(office.project_path, "tag") == ""


async def test_a_branch_that_another_workspace_left_is_not_taken_over(office: Office) -> None:
    git(office.project_path, "branch", "apm/1-greet-in-german")
    git(office.project_path, "update-ref", "refs/apm/base/1", "main")
    git(office.project_path, "checkout", "--quiet", "apm/1-greet-in-german")
    commit(office.project_path, "Of long ago", {"old.txt": "old"})
    git(office.project_path, "checkout", "--quiet", "main")

    await office.request()
    await office.settle()

    (asked,) = await office.questions()
    assert "another workspace made it" in asked.question
    git(office.project_path, "branch", "-m", "apm/1-greet-in-german", "kept")
    await office.answer(asked, "retry")
    await office.settle()
    assert (await office.questions())[0].phase == "I1"
