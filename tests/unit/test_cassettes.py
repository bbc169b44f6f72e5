"""What models answer is recorded with their commits, and played again where the same is asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, Status, UsageError, failed, succeeded
from core.projects import git
from core.runtimes.cassettes import read_cassette
from core.runtimes.recording import Recorder, RecordingRuntime
from core.runtimes.replay import ReplayRuntime
from core.store.rows import AgentRow

Work = Callable[[Path], None]
KEY = "sk-ant-api03-AbCdEfGhIjKlMnOpQrSt"


def agent(role: str = "code-implementer") -> AgentRow:
    facts: Json = dict.fromkeys(AgentRow.__slots__)
    return AgentRow(**{**facts, "role": role, "runtime": "anthropic", "parameters": {}})


class Coder:
    """Does what it is told in the worktree, commits it in steps, and answers."""

    name = "anthropic"

    def __init__(self, *works: Work) -> None:
        self.works = works

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        made = []
        for number, work in enumerate(self.works):
            work(bench.tree())
            trailers = {"Apm-Work-Item": "1", "Apm-Agent": agent.role, "Apm-Task": "T1", "Verifies": "AC1 tests/x.py"}
            made.append(await git.add_all_and_commit(bench.tree(), f"Step {number}\n\nWhy not.", trailers=trailers))
        output = {"task": "T1", "commits": made, "files": ["a.py"], "summary": f"done with {KEY}", "verifies": {}}
        return succeeded(agent.role, output, model="m", tokens=12, session="abc")


def bench(folder: Path) -> Bench:
    """A worktree of a small project on a branch of its own, the same wherever it is made."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    (tree / "a.py").write_text("one\n")
    (tree / "old.txt").write_text("goes\n")
    for words in (("init", "-q", "-b", "apm/1-x"), ("add", "."), ("commit", "-qm", "begin")):
        who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *who, *words], cwd=tree, check=True, capture_output=True)
    return Bench(tree, folder / "releases", folder / "scratch")


async def request(bench: Bench, number: int = 1, **context: Any) -> AgentRequest:
    base = await git.head(bench.tree())
    project = {"id": number, "name": "p", "path": str(bench.tree()), "branch": "apm/1-x", "base_commit": base}
    told: Json = {
        "work_item": {"id": number, "title": "x"},
        "project": project,
        "task": {"id": "T1", "title": "Do it", "criteria": ["AC1"]},
        "criteria": [{"id": "AC1", "text": "it works"}],
        "results": {"pattern-applier": {"near": f"{bench.tree()}/a.py", "seen_at": base}},
        **context,
    }
    return AgentRequest("implementation-orch", {"tasks": []}, told, "code-implementer")


def edits(tree: Path) -> None:
    (tree / "a.py").write_text(f"two\nkey = '{KEY}'\n")
    (tree / "old.txt").unlink()
    (tree / "tool.sh").write_text("#!/bin/sh\n")
    (tree / "tool.sh").chmod(0o755)


def picture(tree: Path) -> None:
    (tree / "logo.png").write_bytes(b"\x89PNG\0\xff\xfe" + bytes(range(256)))


async def recorded(tmp_path: Path, *works: Work, **context: Any) -> tuple[Path, Bench]:
    path, place = tmp_path / "answers.json", bench(tmp_path / "first")
    runtime = RecordingRuntime(Coder(*works), Recorder.at(path))
    await runtime.execute(await request(place, **context), agent(), place)
    return path, place


def files(tree: Path) -> dict[str, bytes]:
    return {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file() and ".git" not in p.parts}


async def test_another_workspace_gets_the_same_files_and_commits(tmp_path: Path) -> None:
    path, first = await recorded(tmp_path, edits, picture)
    second = bench(tmp_path / "second")

    response = await ReplayRuntime(path).execute(await request(second, number=7), agent(), second)

    assert response.status is Status.SUCCESS
    expected = files(first.tree()) | {"a.py": b"two\nkey = '[redacted]'\n"}
    assert files(second.tree()) == expected
    made = await git.commits(second.tree(), "", "HEAD", limit=2)
    assert [c.subject for c in made] == ["Step 1", "Step 0"]
    assert made[0].trailers["Verifies"] == "AC1 tests/x.py"
    assert made[0].trailers["Apm-Work-Item"] == "7"
    assert response.output_artifact["commits"] == [c.sha for c in reversed(made)]
    assert (tmp_path / "second" / "tree" / "tool.sh").stat().st_mode & 0o111
    assert response.metadata["replayed"] == "answers.json"


async def test_no_secret_reaches_the_cassette(tmp_path: Path) -> None:
    path, _ = await recorded(tmp_path, edits)

    assert KEY not in path.read_text()
    assert "[redacted]" in path.read_text()


async def test_another_request_is_refused_and_the_difference_said(tmp_path: Path) -> None:
    path, _ = await recorded(tmp_path, edits)
    second = bench(tmp_path / "second")
    other = await request(second, criteria=[{"id": "AC1", "text": "it works twice"}])

    response = await ReplayRuntime(path).execute(other, agent(), second)

    assert response.status is Status.FAILURE
    assert "criteria[0] was 'it works', now it is 'it works twice'" in response.metadata["error"]
    assert files(second.tree()) == {"a.py": b"one\n", "old.txt": b"goes\n"}


async def test_a_round_that_was_recorded_apart_is_played_apart(tmp_path: Path) -> None:
    path, place = await recorded(tmp_path, edits)
    again = RecordingRuntime(Coder(picture), Recorder.at(path))
    await again.execute(await request(place, round=2, missing=["a picture"]), agent(), place)

    assert [len(e["commits"]) for e in read_cassette(path).entries] == [1, 1]
    second = bench(tmp_path / "second")
    await ReplayRuntime(path).execute(await request(second, round=2, missing=["a picture"]), agent(), second)
    assert sorted(files(second.tree())) == ["a.py", "logo.png", "old.txt"]


async def test_a_killed_replay_goes_on_after_the_commits_it_made(tmp_path: Path) -> None:
    path, first = await recorded(tmp_path, edits, picture)
    second = bench(tmp_path / "second")
    asked = await request(second)
    await ReplayRuntime(path).execute(asked, agent(), second)
    await git.git(second.tree(), "reset", "-q", "--hard", "HEAD~1")
    (second.tree() / "half.txt").write_text("cut short")

    response = await ReplayRuntime(path).execute(asked, agent(), second)

    assert len(await git.commits(second.tree(), str(asked.context["project"]["base_commit"]), "HEAD")) == 2
    assert len(response.output_artifact["commits"]) == 2
    assert sorted(files(second.tree())) == sorted(files(first.tree()))


async def test_a_failure_is_recorded_as_one(tmp_path: Path) -> None:
    class Failing(Coder):
        async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
            return failed(agent.role, "the model gave no answer")

    path, place = tmp_path / "answers.json", bench(tmp_path / "first")
    await RecordingRuntime(Failing(), Recorder.at(path)).execute(await request(place), agent(), place)

    played = await ReplayRuntime(path).execute(await request(place), agent(), place)

    assert (played.status, played.metadata["error"]) == (Status.FAILURE, "the model gave no answer")


async def test_a_cassette_is_not_believed_who_answered_or_which_commands_were_run(tmp_path: Path) -> None:
    cassette, _ = await recorded(tmp_path, edits)
    whole = json.loads(cassette.read_text())
    proof = {"command": ["pytest"], "exit_code": 0, "output_digest": "0" * 64, "tool": "pytest"}
    whole["entries"][0]["metadata"] |= {"evidence": [proof], "runtime": "tool", "tool": "pytest"}
    cassette.write_text(json.dumps(whole))
    second = bench(tmp_path / "second")

    response = await ReplayRuntime(cassette).execute(await request(second), agent(), second)

    assert response.metadata == {"model": "m", "tokens": 12, "replayed": "answers.json"}


ENTRY: Json = {"role": "a", "subject": "", "request": {}, "digest": "", "output": {}}


def with_entry(**facts: Any) -> bytes:
    return json.dumps({"format": 2, "entries": [ENTRY, ENTRY | facts]}).encode()


NOT_CASSETTES = [
    (b"{", "is not JSON (line 1, column 2), so it is no cassette."),
    (b"\xff\xfe{}", "is not UTF-8 text (byte 0), so it is no cassette."),
    (b"[" * 100_000, "is nested too deeply"),
    (b"[]", "is no cassette: it holds no JSON object; `apm run --record FILE` makes one."),
    (b'{"a": 1}', "is no cassette: it has no `format`; "),
    (b'{"format": 2}', "is no cassette: it has no `entries`; "),
    (b'{"format": 2, "entries": 5}', "is no cassette: `entries` is no list; "),
    (b'{"format": 2, "entries": [], "compares": [1]}', "is no cassette: `compares` is no list of names; "),
    (b'{"format": 1, "entries": []}', "is a cassette of format 1, not 2; record it again."),
    (b'{"format": 2, "entries": [{}]}', "is a damaged cassette: entry 1: it has no `role`; record it again."),
    (b'{"format": 2, "entries": [5]}', "is a damaged cassette: entry 1: it is no object; "),
    (with_entry(output="done"), "is a damaged cassette: entry 2: `output` is not an object; "),
    (with_entry(metadata=[]), "is a damaged cassette: entry 2: `metadata` is not an object; "),
    (with_entry(status="GOOD"), "is a damaged cassette: entry 2: `status` is none of SUCCESS, FAILURE, BLOCKED; "),
    (with_entry(commits=5), "is a damaged cassette: entry 2: `commits` is not a list; "),
    (with_entry(commits=[5]), "is a damaged cassette: entry 2: a commit is no object; "),
    (with_entry(commits=[{"subject": "x", "edits": [{}]}]), "is a damaged cassette: entry 2: it has no `path`; "),
]


@pytest.mark.parametrize(("content", "told"), NOT_CASSETTES, ids=[told[:60] for _, told in NOT_CASSETTES])
def test_what_is_no_cassette_is_said_to_be_none(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)

    for read in (read_cassette, Recorder.at, ReplayRuntime.at):
        with pytest.raises(UsageError) as refused:
            read(path)
        assert str(refused.value).startswith(f"{path} {told}")
    assert path.read_bytes() == content


@pytest.mark.parametrize("path", ["../out.txt", "/tmp/out.txt", ".git/hooks/pre-commit"])
async def test_a_cassette_from_elsewhere_writes_nothing_outside(tmp_path: Path, path: str) -> None:
    cassette, _ = await recorded(tmp_path, edits)
    whole = json.loads(cassette.read_text())
    whole["entries"][0]["commits"][0]["edits"] = [{"path": path, "content": "x"}]
    cassette.write_text(json.dumps(whole))
    second = bench(tmp_path / "second")

    with pytest.raises(UsageError):
        await ReplayRuntime(cassette).execute(await request(second), agent(), second)


async def test_a_link_from_elsewhere_is_not_written_through(tmp_path: Path) -> None:
    cassette, _ = await recorded(tmp_path, edits)
    link = "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+..\n"
    patch = link + "\\ No newline at end of file\n"
    whole = json.loads(cassette.read_text())
    whole["entries"][0]["commits"][0]["edits"] = [
        {"path": "l", "patch": patch},
        {"path": "l/out.txt", "content": "x"},
    ]
    cassette.write_text(json.dumps(whole))
    second = bench(tmp_path / "second")

    with pytest.raises(UsageError, match="leads out"):
        await ReplayRuntime(cassette).execute(await request(second), agent(), second)
    assert not (tmp_path / "second" / "out.txt").exists()


async def test_a_patch_from_elsewhere_writes_nothing_outside(tmp_path: Path) -> None:
    cassette, _ = await recorded(tmp_path, edits)
    patch = "--- /dev/null\n+++ b/../out.txt\n@@ -0,0 +1 @@\n+x\n"
    whole = json.loads(cassette.read_text())
    whole["entries"][0]["commits"][0]["edits"] = [{"path": "out.txt", "patch": patch}]
    cassette.write_text(json.dumps(whole))
    second = bench(tmp_path / "second")

    with pytest.raises(git.GitError):
        await ReplayRuntime(cassette).execute(await request(second), agent(), second)
    assert not (tmp_path / "second" / "out.txt").exists()
