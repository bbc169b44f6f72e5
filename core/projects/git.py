"""Git, as apm uses it: never a prompt, never a hook, never a lock taken for reading, and errors in one sentence.

Nor ever git inside a submodule, whose settings a command may have written: whatever looks at a worktree is told so by
option, for a worktree's own `.gitmodules` beats a setting, and `add --update` of all has no such option.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.contract import ApmError
from core.paths import real
from core.projects.commands import CommandResult, Limits, Undecodable, run
from core.sanitise import one_line

LIMITS = Limits(seconds=300.0, output_bytes=64 * 2**20)
BY_PRODUCT = re.compile(
    r"(^|/)(__pycache__|\.(coverage|hypothesis|mypy_cache|nox|pytest_cache|ruff_cache|tox|venv)|node_modules)(/|$)"
)
"""Paths that tools leave behind; they are never committed."""
FALLBACK_NAME, FALLBACK_EMAIL = "apm", "apm@localhost"

_SETTINGS = """
core.hooksPath=/dev/null core.quotepath=off core.fsmonitor=false commit.gpgsign=false tag.gpgsign=false
log.showSignature=false color.ui=false gc.auto=0 maintenance.auto=false submodule.recurse=false rerere.enabled=false
i18n.logOutputEncoding=UTF-8 i18n.commitEncoding=UTF-8 trailer.separators=: diff.submodule=short
"""
_OPTIONS = tuple(word for setting in _SETTINGS.split() for word in ("-c", setting))
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_EDITOR": ":",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
}
_CLIMBING = {"GIT_CEILING_DIRECTORIES": ""}
_PAUSES = (0.01, 0.03, 0.1, 0.3)
"""Seconds before git is asked again while another git adds a worktree."""


class GitError(ApmError):
    """Git refused, or would have had to touch what is the user's."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. `at` is its author time in seconds since the epoch; `trailers` are the `Key: value` lines."""

    sha: str
    author: str
    email: str
    at: int
    subject: str
    body: str
    trailers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree that git knows; `branch` is None when detached, `locked` the reason when it is locked."""

    path: Path
    branch: str | None
    locked: str | None


async def git_result(
    repo: Path,
    *args: str,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    limits: Limits = LIMITS,
    undecodable: Undecodable = "replace",
) -> CommandResult:
    """Git's own result, for callers to whom an exit code is an answer.

    Git does not climb above `repo`: a worktree that lost its `.git` must not have a hard reset fall on the repository
    around it. Git is asked again when it met a worktree that another git was just adding; then it has done nothing.
    """
    argv = ("git", *_OPTIONS, *args)
    environment = {**_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(real(repo).parent), **(env or {})}
    for pause in _PAUSES:
        asked = run(
            argv, cwd=repo, limits=limits, env=environment, stdin=stdin, leftovers="group", undecodable=undecodable
        )
        result = await asked
        if result.ok or "/commondir: " not in result.stderr:
            return result
        await asyncio.sleep(pause)
    return result


async def git(
    repo: Path, *args: str, check: bool = True, env: Mapping[str, str] | None = None, stdin: bytes = b""
) -> str:
    """Git's standard output. Raises GitError with git's reason when it fails, and when the output was cut."""
    result, verb = await git_result(repo, *args, env=env, stdin=stdin), args[2 if args[0] == "-c" else 0]
    if check and not result.ok:
        raise GitError(f"git {verb} failed in {repo}: {_reason(result)}")
    if result.truncated:
        raise GitError(f"git {verb} in {repo} printed more than {LIMITS.output_bytes} bytes; narrow the question.")
    return result.stdout


async def is_repository(path: Path) -> bool:
    """Whether `path` lies in a git working tree (a bare repository has none)."""
    if not path.is_dir():
        return False
    return (await git(path, "rev-parse", "--is-inside-work-tree", check=False, env=_CLIMBING)).strip() == "true"


async def root(path: Path) -> Path:
    """The top folder of the working tree that `path` lies in."""
    return Path((await git(path, "rev-parse", "--show-toplevel", env=_CLIMBING)).removesuffix("\n"))


async def head(repo: Path, ref: str = "HEAD") -> str:
    """The commit that `ref` names. Raises GitError for an unknown name and for a repository without commits."""
    result = await git_result(repo, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if result.ok:
        return result.stdout.strip()
    if result.exit_code != 1:
        raise GitError(f"git rev-parse failed in {repo}: {_reason(result)}")
    if ref == "HEAD":
        raise GitError(f"The repository {repo} has no commits yet; make a first commit, then try again.")
    raise GitError(f"There is no commit named {one_line(ref)!r} in {repo}.")


async def current_branch(repo: Path) -> str | None:
    """The branch that is checked out; None when HEAD is detached. A branch without commits counts."""
    result = await git_result(repo, "symbolic-ref", "--quiet", "--short", "HEAD")
    return result.stdout.strip() or None


async def branch_exists(repo: Path, branch: str) -> bool:
    return (await git_result(repo, "show-ref", "--verify", "--quiet", f"refs/heads/{branch}")).ok


async def status(repo: Path, *, untracked: bool = True) -> tuple[tuple[str, str], ...]:
    """What differs from HEAD: (two-letter code, path). Ignored files and the insides of submodules do not count."""
    text = await git(repo, *_STATUS, f"--untracked-files={'normal' if untracked else 'no'}")
    return tuple((entry[:2], entry[3:]) for entry in text.split("\0") if entry)


_STATUS = ("status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=dirty")


_FIELDS = ("%H", "%an", "%ae", "%at", "%s", "%b", "%(trailers:only=true,unfold=true)")


async def commits(repo: Path, base: str, head: str = "HEAD", *, limit: int = -1) -> tuple[Commit, ...]:
    """The commits reachable from `head` and not from `base` (empty: no base), newest first; with a `limit` no more."""
    span = f"{base}..{head}" if base else head
    wanted = "%x00".join(_FIELDS)
    text = await git(repo, "log", "-z", f"--max-count={limit}", f"--format=tformat:{wanted}", "--end-of-options", span)
    words = text.split("\0")
    size = len(_FIELDS)
    return tuple(_commit(words[start : start + size]) for start in range(0, len(words) - size + 1, size))


def _commit(words: Sequence[str]) -> Commit:
    sha, author, email, at, subject, body, trailers = words
    pairs = (line.partition(":") for line in trailers.splitlines() if ":" in line)
    return Commit(
        sha=sha.strip(),
        author=author,
        email=email,
        at=int(at),
        subject=subject,
        body=body.strip(),
        trailers={key.strip(): value.strip() for key, _, value in pairs},
    )


async def changed_files(repo: Path, base: str, head: str = "HEAD") -> tuple[tuple[str, str], ...]:
    """(status, path) of each file that differs between two commits: A added, M changed, D deleted, T type."""
    text = await git(
        repo, "diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", "--end-of-options", base, head, "--"
    )
    words = text.split("\0")
    return tuple(zip(words[0:-1:2], words[1::2], strict=False))


async def tracked_files(repo: Path) -> tuple[str, ...]:
    """The paths that git tracks, relative to `repo`; what a commit would hold."""
    return tuple(path for path in (await git(repo, "ls-files", "-z")).split("\0") if path)


async def listed_files(repo: Path) -> tuple[str, ...]:
    """The paths that git tracks or would take in (untracked, not ignored), each once; repositories inside left out."""
    text = await git(repo, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return tuple(dict.fromkeys(path for path in text.split("\0") if path and not path.endswith("/")))


async def file_at(repo: Path, ref: str, path: str) -> str | None:
    """A file's text at a commit; None when it is not there."""
    result = await git_result(repo, "cat-file", "blob", f"{ref}:{path}")
    return result.stdout if result.ok else None


async def merge_base(repo: Path, one: str, other: str) -> str | None:
    """The best common ancestor; None when the histories have nothing in common."""
    return (await git_result(repo, "merge-base", one, other)).stdout.strip() or None


async def is_ancestor(repo: Path, ancestor: str, descendant: str) -> bool:
    result = await git_result(repo, "merge-base", "--is-ancestor", ancestor, descendant)
    if result.exit_code not in (0, 1):
        raise GitError(f"git merge-base failed in {repo}: {_reason(result)}")
    return result.ok


async def tag_at(repo: Path, tag: str) -> str | None:
    """The commit that a tag points to; None when there is no such tag."""
    result = await git_result(repo, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    return result.stdout.strip() or None


async def add_all_and_commit(
    worktree: Path,
    message: str,
    *,
    author: str | None = None,
    trailers: Mapping[str, str] | None = None,
    date: str | None = None,
) -> str | None:
    """Commit everything that changed in a worktree; the commit, or None when nothing had changed.

    Untracked files count, but not ignored ones and what tools leave behind (caches, coverage data): a project without
    a .gitignore must not get it into its history. `author` is `Name <mail>`, `date` any date git reads.
    """
    new = (await _names(worktree, "ls-files", "--others", "--exclude-standard", "-z")).split("\0")
    # A path that ends in a slash is a repository inside this one: added, it would be a link that leads nowhere.
    wanted = "\0".join(path for path in new if path and not path.endswith("/") and not BY_PRODUCT.search(path))
    entries = (await _names(worktree, *_STATUS, "--untracked-files=no")).split("\0")
    known = "\0".join(entry[3:] for entry in entries if entry and entry[1] != " ")
    listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
    if known:
        await git(worktree, "add", "--update", *listed, stdin=os.fsencode(known))
    if wanted:
        await git(worktree, "add", *listed, stdin=os.fsencode(wanted))
    if (await git_result(worktree, "diff", "--cached", "--quiet", "--no-ext-diff")).ok:
        return None
    who = await _identity(worktree, author, date)
    text = with_trailers(message, trailers or {}).encode()
    await git(worktree, "commit", "--quiet", "--cleanup=whitespace", "--file=-", env=who, stdin=text)
    return await head(worktree)


async def _names(repo: Path, *args: str) -> str:
    """Names that git lists, as they are to be handed back to it by `os.fsencode`: some are no UTF-8."""
    result = await git_result(repo, *args, undecodable="surrogateescape")
    if not result.ok or result.truncated:
        raise GitError(f"git {args[0]} failed in {repo}: {_reason(result)}")
    return result.stdout


async def merge_in(worktree: Path, target: str) -> tuple[str, ...]:
    """Merge `target` into the branch of a worktree; the conflicting paths, with nothing changed, or () when merged."""
    if (await git_result(worktree, "rev-parse", "--quiet", "--verify", "MERGE_HEAD")).ok:
        raise GitError(f"A merge is under way in {worktree}. Finish it there with `git commit`, then try again.")
    args = ("merge", "--quiet", "--ff", "--no-autostash", "--no-edit", "--end-of-options", target)
    result = await git_result(worktree, *args, env=await _identity(worktree))
    if result.ok:
        return ()
    conflicts = await git(worktree, "diff", "--name-only", "--diff-filter=U", "-z", "--ignore-submodules=dirty")
    if not conflicts:
        raise GitError(f"git merge failed in {worktree}: {told_of_merge(_reason(result))}")
    await git(worktree, "merge", "--abort")
    return tuple(conflicts.rstrip("\0").split("\0"))


def told_of_merge(reason: str) -> str:
    """What git says of a merge that it refused, and what a person can do where git does not say."""
    told = one_line(reason, 400)
    if "GPG signature" in told:
        return f"{told} git's merge.verifySignatures is on, and what apm commits is not signed: set it to false there."
    if "unrelated histories" in told:
        return f"{told}: another history was put in its place since. Merge or rebase by hand there, or begin anew."
    return told


async def merge_commit(
    repo: Path,
    branch: str,
    target: str,
    message: str,
    *,
    trailers: Mapping[str, str] | None = None,
    date: str | None = None,
) -> str:
    """A merge of `branch` into `target` as a commit that nothing points to yet; no checkout and no branch is touched.

    The branch must contain the target already (`merge_in`), so its tree is the merge's tree.
    """
    first, second = await head(repo, target), await head(repo, branch)
    if not await is_ancestor(repo, first, second):
        raise GitError(f"{target} has commits that {branch} lacks; merge {target} into {branch} first.")
    text = with_trailers(message, trailers or {}).encode()
    who = await _identity(repo, None, date)
    args = ("commit-tree", "-p", first, "-p", second, "-F", "-", f"{second}^{{tree}}")
    return (await git(repo, *args, env=who, stdin=text)).strip()


async def checkouts(repo: Path) -> tuple[Checkout, ...]:
    """Each working tree of the repository, the main one first; also those whose folder is gone."""
    found: list[Checkout] = []
    for block in (await git(repo, "worktree", "list", "--porcelain")).split("\n\n"):
        facts = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "worktree" in facts and "bare" not in facts:
            branch = facts.get("branch", "").removeprefix("refs/heads/") or None
            path = Path(facts["worktree"]) if found else await _main_checkout(repo, Path(facts["worktree"]))
            found.append(Checkout(path, branch, facts.get("locked")))
    return tuple(found)


async def _main_checkout(repo: Path, listed: Path) -> Path:
    """Where the repository's folder lies elsewhere (`--separate-git-dir`), git lists that in its checkout's place."""
    if (listed / ".git").exists():
        return listed
    words = ("--path-format=absolute", "--git-dir", "--git-common-dir", "--show-toplevel")
    answer = (await git(repo, "rev-parse", *words, check=False)).splitlines()
    is_main = len(answer) == 3 and answer[0] == answer[1] == str(listed)
    return Path(answer[2]) if is_main else listed


async def create_tag(
    repo: Path,
    tag: str,
    commit: str,
    message: str,
    *,
    trailers: Mapping[str, str] | None = None,
    date: str | None = None,
) -> None:
    """An annotated tag. The same tag on the same commit is no error, so a kill in between can be repeated."""
    there = await tag_at(repo, tag)
    if there == await head(repo, commit):
        return
    if there is not None:
        raise GitError(f"The tag {tag} already stands on {there[:12]}, not on {commit[:12]}; choose another version.")
    text = with_trailers(message, trailers or {}).encode()
    who = await _identity(repo, None, date)
    args = ("tag", "--annotate", "--cleanup=whitespace", "--file=-", "--end-of-options", tag, commit)
    await git(repo, *args, env=who, stdin=text)


def with_trailers(message: str, trailers: Mapping[str, str]) -> str:
    """`message` with `Key: value` lines as its last paragraph, where git and `commits` find them."""
    lines = [f"{key}: {one_line(value, 1_000)}" for key, value in trailers.items()]
    return "\n\n".join(part for part in (message.rstrip(), "\n".join(lines)) if part) + "\n"


async def _identity(repo: Path, author: str | None = None, date: str | None = None) -> dict[str, str]:
    """The environment that gives a commit its people and time: the user's own, or apm where git knows no user."""
    known = await git(repo, "config", "--get-regexp", r"^user\.(name|email)$", check=False)
    found = dict(line.split(" ", 1) for line in known.splitlines() if " " in line)
    name, email = found.get("user.name", FALLBACK_NAME), found.get("user.email", FALLBACK_EMAIL)
    result = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}
    if author is not None:
        match = re.fullmatch(r"\s*(.+?)\s*<([^<>]*)>\s*", author)
        if match is None:
            raise GitError(f"The author {one_line(author)!r} is not of the form 'Name <mail>'.")
        name, email = match[1], match[2]
    if date is not None:
        result |= {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date}
    return result | {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}


def _reason(result: CommandResult) -> str:
    """Git's own words, shortened to the line that says what is wrong."""
    if result.timed_out:
        return f"it took longer than {LIMITS.seconds:g} s and was stopped."
    lines = [line.strip() for line in (result.stderr or result.stdout).splitlines() if line.strip()]
    at = next((n for n, line in enumerate(lines) if line.startswith(("fatal:", "error:"))), 0)
    told = [re.sub(r"^(fatal|error): ", "", line) for line in lines[at : at + 1]]
    if at and "not found" in lines[at - 1]:
        # A filter's shell, before git says what came of that.
        told.insert(0, lines[at - 1])
    return one_line("; ".join(told)) or f"exit code {result.exit_code}."
