"""What apm asks of git, on real repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.projects import forwarding, git
from core.projects.git import Commit, GitError
from tests.unit.git_project import commit
from tests.unit.git_project import git as by_hand


@pytest.fixture(autouse=True)
def _user_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git reads no settings of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with two commits, in a folder that has a space and a letter beyond ASCII."""
    repo = tmp_path / "my projéct"
    commit(repo, {"a.txt": "one\n", "dir/ü b.txt": "x\n"}, "first")
    commit(repo, {"a.txt": "two\n"}, "second")
    return repo


async def test_a_repository_is_recognised_from_any_folder_in_it(repo: Path, tmp_path: Path) -> None:
    assert await git.is_repository(repo / "dir")
    assert await git.root(repo / "dir") == repo
    assert not await git.is_repository(tmp_path)
    assert not await git.is_repository(tmp_path / "missing")
    by_hand(tmp_path, "init", "-q", "--bare", "bare")
    assert not await git.is_repository(tmp_path / "bare")


async def test_a_command_never_falls_on_the_repository_around_its_folder(repo: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        await git.git(repo / "dir", "reset", "--hard")


async def test_head_names_a_commit_or_says_what_is_wrong(repo: Path, tmp_path: Path) -> None:
    assert await git.head(repo) == by_hand(repo, "rev-parse", "main")
    assert await git.head(repo, "main~1") == by_hand(repo, "rev-parse", "main~1")
    with pytest.raises(GitError, match=r"There is no commit named 'no-such' in .*projéct\."):
        await git.head(repo, "no-such")
    with pytest.raises(GitError, match=r"git rev-parse failed in .*: not a git repository"):
        await git.head(tmp_path)
    by_hand(tmp_path, "init", "-q", "empty")
    with pytest.raises(GitError, match=r"has no commits yet; make a first commit"):
        await git.head(tmp_path / "empty")


async def test_the_current_branch_is_none_on_a_detached_head(repo: Path) -> None:
    assert await git.current_branch(repo) == "main"
    by_hand(repo, "checkout", "-q", "--detach")
    assert await git.current_branch(repo) is None
    assert await git.branch_exists(repo, "main")
    assert not await git.branch_exists(repo, "mai")


async def test_status_lists_changed_and_untracked_files(repo: Path) -> None:
    assert await git.status(repo) == ()
    (repo / "a.txt").write_text("changed")
    (repo / "neu é.txt").write_text("")

    assert await git.status(repo) == ((" M", "a.txt"), ("??", "neu é.txt"))
    assert await git.status(repo, untracked=False) == ((" M", "a.txt"),)
    by_hand(repo, "checkout", "-q", "a.txt")
    assert await git.status(repo, untracked=False) == ()
    assert await git.status(repo) != ()


async def test_reading_takes_no_lock_in_the_users_checkout(repo: Path) -> None:
    (repo / ".git" / "index.lock").write_text("")
    (repo / "a.txt").touch()
    assert await git.status(repo) == ()


async def test_commits_come_newest_first_with_all_their_parts(repo: Path) -> None:
    message = "Subject é\n\nA body\nof two lines.\n\nTask: T1\nCo-Authored-By: B <b@x>\n"
    by_hand(repo, "commit", "-q", "--allow-empty", "-m", message, "--date", "2024-01-02T03:04:05Z")

    newest, second = await git.commits(repo, "main~2", "main")

    assert newest == Commit(
        sha=by_hand(repo, "rev-parse", "main"),
        author="Ada",
        email="ada@example.org",
        at=1_704_164_645,
        subject="Subject é",
        body="A body\nof two lines.\n\nTask: T1\nCo-Authored-By: B <b@x>",
        trailers={"Task": "T1", "Co-Authored-By": "B <b@x>"},
    )
    assert (second.subject, second.body, second.trailers) == ("second", "", {})
    assert [commit.subject for commit in await git.commits(repo, "")] == ["Subject é", "second", "first"]
    assert await git.commits(repo, "main", "main") == ()
    assert len(await git.commits(repo, "", limit=2)) == 2


def make_branch(repo: Path, name: str, subjects: Iterable[str]) -> None:
    """A branch of empty commits, all made by one command."""
    commits = (f"commit refs/heads/{name}\ncommitter A <a@x> 0 +0000\ndata {len(s)}\n{s}\n" for s in subjects)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo, input="".join(commits).encode(), check=True)


async def test_all_commits_are_read_however_many_there_are(repo: Path) -> None:
    make_branch(repo, "long", (f"c{n}" for n in range(1_500)))
    assert [commit.subject for commit in await git.commits(repo, "", "long")] == [f"c{n}" for n in range(1_499, -1, -1)]


async def test_changed_files_and_their_texts(repo: Path) -> None:
    base = by_hand(repo, "rev-parse", "main")
    commit(repo, {"new/ñ 1.txt": "n\n"}, remove=("a.txt",))

    assert await git.changed_files(repo, base) == (("D", "a.txt"), ("A", "new/ñ 1.txt"))
    assert await git.file_at(repo, base, "a.txt") == "two\n"
    assert await git.file_at(repo, "HEAD", "a.txt") is None
    assert await git.file_at(repo, "HEAD", "new/ñ 1.txt") == "n\n"
    assert await git.tracked_files(repo) == ("dir/ü b.txt", "new/ñ 1.txt")
    assert await git.changed_files(repo, "HEAD") == ()


async def test_a_commit_takes_everything_but_what_tools_leave_behind(repo: Path) -> None:
    for name in ("__pycache__/a.pyc", "pkg/__pycache__/b.pyc", ".coverage", "node_modules/x/i.js", ".pytest_cache/v"):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("junk")
    (repo / "kept é.py").write_text("x = 1\n")
    (repo / "a.txt").unlink()
    by_hand(repo, "init", "-q", "inner")

    sha = await git.add_all_and_commit(
        repo, "Do it\n\n# no comment", author="Bot B <bot@x>", trailers={"Task": "T1"}, date="2024-01-02T03:04:05Z"
    )

    assert sha == by_hand(repo, "rev-parse", "HEAD")
    assert await git.changed_files(repo, "HEAD~1") == (("D", "a.txt"), ("A", "kept é.py"))
    (made,) = await git.commits(repo, "HEAD~1")
    assert (made.author, made.email, made.at) == ("Bot B", "bot@x", 1_704_164_645)
    assert made.body == "# no comment\n\nTask: T1"
    assert made.trailers == {"Task": "T1"}


async def test_nothing_changed_makes_no_commit(repo: Path) -> None:
    assert await git.add_all_and_commit(repo, "nothing") is None


async def test_the_first_commit_of_a_repository(tmp_path: Path) -> None:
    by_hand(tmp_path, "init", "-q", "new")
    (tmp_path / "new" / "f").write_text("")
    assert await git.add_all_and_commit(tmp_path / "new", "first") == by_hand(tmp_path / "new", "rev-parse", "HEAD")


async def test_apm_signs_where_git_knows_no_user_and_the_user_where_it_does(repo: Path) -> None:
    (repo / "one").write_text("")
    await git.add_all_and_commit(repo, "one")
    by_hand(repo, "config", "user.name", "Grace Hopper")
    by_hand(repo, "config", "user.email", "grace@x")
    (repo / "two").write_text("")
    await git.add_all_and_commit(repo, "two", author="Bot <b@x>")

    two, one = (await git.commits(repo, ""))[:2]
    assert (one.author, one.email) == ("apm", "apm@localhost")
    assert (two.author, by_hand(repo, "log", "-1", "--format=%cn <%ce>")) == ("Bot", "Grace Hopper <grace@x>")


async def test_an_author_without_an_address_is_refused(repo: Path) -> None:
    (repo / "one").write_text("")
    with pytest.raises(GitError, match="The author 'Nobody' is not of the form 'Name <mail>'"):
        await git.add_all_and_commit(repo, "one", author="Nobody")


async def test_the_projects_hooks_and_signing_do_not_run(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    by_hand(repo, "config", "commit.gpgsign", "true")
    by_hand(repo, "config", "gpg.program", "false")
    (repo / "one").write_text("")
    assert await git.add_all_and_commit(repo, "one")


def diverged(repo: Path) -> tuple[str, str]:
    """A branch `work` beside a main that moved on; both heads. The checkout stays on main."""
    by_hand(repo, "checkout", "-q", "-b", "work")
    theirs = commit(repo, {"work.txt": "w\n"}, "work")
    by_hand(repo, "checkout", "-q", "main")
    return theirs, commit(repo, {"main.txt": "m\n"}, "main moved")


async def test_ancestry(repo: Path) -> None:
    base = by_hand(repo, "rev-parse", "main")
    work, main = diverged(repo)

    assert await git.merge_base(repo, work, main) == base
    assert await git.is_ancestor(repo, base, work)
    assert not await git.is_ancestor(repo, work, main)
    with pytest.raises(GitError, match="merge-base failed"):
        await git.is_ancestor(repo, "no-such", main)
    by_hand(repo, "checkout", "-q", "--orphan", "other")
    assert await git.merge_base(repo, commit(repo, {}, "root"), main) is None


async def test_a_merge_without_touching_any_checkout(repo: Path) -> None:
    work, main = diverged(repo)
    with pytest.raises(GitError, match=r"main has commits that work lacks; merge main into work first\."):
        await git.merge_commit(repo, "work", "main", "Merge")

    worktree = repo.parent / "tree"
    by_hand(repo, "worktree", "add", "-q", str(worktree), "work")
    assert await git.merge_in(worktree, "main") == ()
    assert await git.merge_in(worktree, "main") == ()
    merge = await git.merge_commit(
        repo, "work", "main", "Merge work", trailers={"Work-Item": "7"}, date="@1700000000 +0000"
    )

    assert by_hand(repo, "rev-parse", "main") == main
    parents = by_hand(repo, "log", "-1", "--format=%P", merge).split()
    assert parents == [main, by_hand(repo, "rev-parse", "work")]
    assert work != parents[1]
    assert sorted(await git.tracked_files(worktree)) == ["a.txt", "dir/ü b.txt", "main.txt", "work.txt"]
    assert (await git.commits(repo, "main", merge))[0].trailers == {"Work-Item": "7"}
    again = await git.merge_commit(
        repo, "work", "main", "Merge work", trailers={"Work-Item": "7"}, date="@1700000000 +0000"
    )
    assert again == merge


async def test_a_commit_is_in_the_encoding_that_it_says(repo: Path) -> None:
    by_hand(repo, "config", "i18n.commitEncoding", "ISO-8859-1")
    by_hand(repo, "config", "user.name", "Zoë")
    (repo / "a.txt").write_text("three\n")

    await git.add_all_and_commit(repo, "Grüße")

    assert by_hand(repo, "-c", "i18n.logOutputEncoding=UTF-8", "log", "-1", "--format=%an %s") == "Zoë Grüße"


@pytest.mark.parametrize("is_known", [False, True])
async def test_a_file_is_committed_whose_name_is_no_utf8(repo: Path, is_known: bool) -> None:
    odd = Path(os.fsdecode(os.fsencode(repo) + b"/caf\xe9.txt"))
    odd.write_text("one")
    if is_known:
        commit(repo, {}, "it is there")
        odd.write_text("two")
    (repo / "a.txt").write_text("three\n")

    assert await git.add_all_and_commit(repo, "More") == by_hand(repo, "rev-parse", "HEAD")

    assert await git.status(repo) == ()


async def test_a_conflict_is_reported_and_leaves_the_worktree_as_it_was(repo: Path) -> None:
    by_hand(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"a.txt": "ours\n", "dir/ü b.txt": "ours\n"})
    by_hand(repo, "checkout", "-q", "main")
    commit(repo, {"a.txt": "theirs\n", "dir/ü b.txt": "theirs\n"})
    by_hand(repo, "checkout", "-q", "work")

    assert await git.merge_in(repo, "main") == ("a.txt", "dir/ü b.txt")
    assert await git.status(repo) == ()
    assert (repo / "a.txt").read_text() == "ours\n"


async def test_a_merge_that_cannot_begin_says_why(repo: Path) -> None:
    diverged(repo)
    (repo / "work.txt").write_text("in the way")
    with pytest.raises(GitError, match=r"git merge failed in .*: The following untracked working tree files would be"):
        await git.merge_in(repo, "work")
    assert (repo / "work.txt").read_text() == "in the way"


async def test_fast_forward_of_a_branch_that_is_checked_out_nowhere(repo: Path) -> None:
    old = by_hand(repo, "rev-parse", "main")
    by_hand(repo, "checkout", "-q", "-b", "work")
    new = commit(repo, {"b.txt": "b"})

    assert await forwarding.fast_forward(repo, "main", new) is None
    assert by_hand(repo, "rev-parse", "main") == new
    assert await forwarding.fast_forward(repo, "main", new) is None
    assert await forwarding.fast_forward(repo, "main", old) is None, "main contains it already"
    assert by_hand(repo, "rev-parse", "main") == new


async def test_fast_forward_moves_the_checkout_that_has_the_branch(repo: Path) -> None:
    by_hand(repo, "checkout", "-q", "-b", "work")
    new = commit(repo, {"b.txt": "b"})
    by_hand(repo, "checkout", "-q", "--detach", "work~1")
    other = repo.parent / "öther tree"
    by_hand(repo, "worktree", "add", "-q", str(other), "main")
    (other / "notes.txt").write_text("untracked, so nobody minds")

    assert await forwarding.fast_forward(repo, "main", new) == other
    assert (other / "b.txt").is_file()
    assert await git.status(repo) == ()


async def test_fast_forward_refuses_a_checkout_with_changes_and_touches_nothing(repo: Path) -> None:
    by_hand(repo, "checkout", "-q", "-b", "work")
    new = commit(repo, {"b.txt": "b"})
    by_hand(repo, "checkout", "-q", "main")
    old = by_hand(repo, "rev-parse", "main")
    (repo / "a.txt").write_text("precious")

    with pytest.raises(
        GitError, match=r"has main checked out with uncommitted changes \(a\.txt\); commit or stash them"
    ):
        await forwarding.fast_forward(repo, "main", new)
    by_hand(repo, "checkout", "-q", "a.txt")
    (repo / "b.txt").write_text("precious")
    with pytest.raises(GitError, match=r"main could not be moved in .*would be overwritten.*b\.txt"):
        await forwarding.fast_forward(repo, "main", new)

    assert (repo / "b.txt").read_text() == "precious"
    assert by_hand(repo, "rev-parse", "main") == old


async def test_fast_forward_leaves_what_people_keep_out_of_git_where_it_is(repo: Path) -> None:
    (repo / ".gitignore").write_text(".env\n")
    commit(repo, {}, "ignores")
    old = by_hand(repo, "rev-parse", "main")
    by_hand(repo, "checkout", "-q", "-b", "work")
    new = commit(repo, {".env": "MODE=example\n"})
    by_hand(repo, "checkout", "-q", "main")
    (repo / ".env").write_text("SECRET=mine\n")

    with pytest.raises(GitError, match=r"main could not be moved in .*would be overwritten.*\.env"):
        await forwarding.fast_forward(repo, "main", new)

    assert (repo / ".env").read_text() == "SECRET=mine\n"
    assert by_hand(repo, "rev-parse", "main") == old


@pytest.mark.parametrize("options", ["--squash", "-s ours", "--no-commit"])
@pytest.mark.parametrize("branch", ["main", "release/1.x=y"])
async def test_fast_forward_moves_the_branch_whatever_its_own_options_are(
    repo: Path, options: str, branch: str
) -> None:
    by_hand(repo, "checkout", "-q", "-b", "work")
    new = commit(repo, {"b.txt": "b"})
    by_hand(repo, "checkout", "-q", "-B", branch, "work~1")
    by_hand(repo, "config", f"branch.{branch}.mergeOptions", options)

    assert await forwarding.fast_forward(repo, branch, new) == repo

    assert by_hand(repo, "rev-parse", branch) == new
    assert await git.status(repo) == ()


async def test_a_merge_that_has_to_be_signed_is_told_with_the_setting(repo: Path) -> None:
    by_hand(repo, "checkout", "-q", "-b", "work")
    new = commit(repo, {"b.txt": "b"})
    by_hand(repo, "checkout", "-q", "main")
    by_hand(repo, "config", "merge.verifySignatures", "true")

    with pytest.raises(GitError, match=r"git's merge\.verifySignatures is on, .*: set it to false there"):
        await forwarding.fast_forward(repo, "main", new)
    commit(repo, {"c.txt": "c"})
    with pytest.raises(GitError, match=r"merge\.verifySignatures"):
        await git.merge_in(repo, "work")


async def test_a_checkout_whose_repository_lies_elsewhere_is_moved_as_any(repo: Path) -> None:
    by_hand(repo, "init", "-q", "--separate-git-dir", str(repo.parent / "kept apart"))
    by_hand(repo, "checkout", "-q", "-b", "work")
    new = commit(repo, {"b.txt": "b"})
    by_hand(repo, "checkout", "-q", "main")

    assert await forwarding.fast_forward(repo, "main", new) == repo
    assert (repo / "b.txt").is_file()


async def test_fast_forward_refuses_a_branch_that_is_being_rebased(repo: Path) -> None:
    _, main = diverged(repo)
    by_hand(repo, "checkout", "-q", "-b", "newer")
    newer = commit(repo, {"newer.txt": ""})
    by_hand(repo, "checkout", "-q", "work")
    commit(repo, {"main.txt": "conflicts with main's"})
    by_hand(repo, "checkout", "-q", "main")
    with pytest.raises(subprocess.CalledProcessError):
        by_hand(repo, "rebase", "work")

    with pytest.raises(GitError, match=r"main is being rebased in .*; finish or abort that"):
        await forwarding.fast_forward(repo, "main", newer)
    assert await git.head(repo, "main") == main


async def test_fast_forward_refuses_a_commit_that_lacks_what_the_target_has(repo: Path) -> None:
    work, _ = diverged(repo)
    with pytest.raises(GitError, match=r"main has moved on since .* was made; merge main into the branch again\."):
        await forwarding.fast_forward(repo, "main", work)


async def test_a_tag_is_made_once(repo: Path) -> None:
    first, second = by_hand(repo, "rev-parse", "main~1"), by_hand(repo, "rev-parse", "main")
    assert await git.tag_at(repo, "v1.0") is None

    await git.create_tag(repo, "v1.0", first, "Release 1.0", trailers={"Work-Item": "7"})
    await git.create_tag(repo, "v1.0", first, "Release 1.0")

    assert await git.tag_at(repo, "v1.0") == first
    assert by_hand(repo, "cat-file", "-t", "v1.0") == "tag"
    assert by_hand(repo, "tag", "-l", "--format=%(contents)", "v1.0").strip() == "Release 1.0\n\nWork-Item: 7"
    with pytest.raises(GitError, match=r"The tag v1\.0 already stands on .*; choose another version\."):
        await git.create_tag(repo, "v1.0", second, "again")
    with pytest.raises(GitError, match=r"git tag failed in .*'a b' is not a valid tag name"):
        await git.create_tag(repo, "a b", second, "bad")


async def test_a_submodule_and_a_shallow_clone_do_no_harm(repo: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    commit(inner, {"i.txt": "i"})
    by_hand(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    commit(repo, {}, "with submodule")
    (repo / "sub" / "i.txt").write_text("changed inside")
    assert await git.status(repo) == ()
    assert "sub" in await git.tracked_files(repo)

    by_hand(tmp_path, "clone", "-q", "--depth", "1", f"file://{repo}", "shallow")
    (shallow,) = await git.commits(tmp_path / "shallow", "")
    assert shallow.subject == "with submodule"


async def test_a_failure_is_one_sentence(repo: Path) -> None:
    with pytest.raises(GitError) as caught:
        await git.git(repo, "checkout", "nowhere")
    assert (
        str(caught.value) == f"git checkout failed in {repo}: pathspec 'nowhere' did not match any file(s) known to git"
    )
    assert await git.git(repo, "checkout", "nowhere", check=False) == ""


WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)


@given(st.text(st.characters(categories=["L", "N"]), min_size=1), st.dictionaries(WORD, WORD, min_size=1))
def test_trailers_are_the_last_paragraph(message: str, trailers: dict[str, str]) -> None:
    text = git.with_trailers(message, trailers)
    paragraph = text.rstrip("\n").split("\n\n")[-1]
    assert dict(line.split(": ", 1) for line in paragraph.splitlines()) == trailers


async def test_a_filter_that_is_not_there_is_named(repo: Path) -> None:
    commit(repo, {".gitattributes": "*.bin filter=big\n", "a.bin": "x"})
    by_hand(repo, "config", "filter.big.process", "no-such-filter --all")
    by_hand(repo, "config", "filter.big.required", "true")

    with pytest.raises(GitError, match=r"no-such-filter: .*not found; "):
        await git.git(repo, "worktree", "add", "-q", str(repo.parent / "more"), "--detach", "main")
