"""A branch of the user's moves forward, with the checkout that has it: this far apm goes, and no further."""

from __future__ import annotations

from pathlib import Path

from core.projects import git
from core.sanitise import one_line


async def fast_forward(repo: Path, target: str, commit: str) -> Path | None:
    """Move the branch `target` forward to `commit`; the checkout that moved with it, None where none has it.

    A checkout with uncommitted changes in tracked files is never touched, and the branch then stays as well:
    GitError names the files. Untracked files, ignored or not, only matter where the commit brings a file of that name;
    then too nothing is touched. It is looked at afterwards whether the branch has moved, whatever git says.
    """
    old = await git.head(repo, f"refs/heads/{target}")
    if await git.is_ancestor(repo, commit, old):
        return None
    if not await git.is_ancestor(repo, old, commit):
        raise git.GitError(f"{target} has moved on since {commit[:12]} was made; merge {target} into the branch again.")
    for checkout in await git.checkouts(repo):
        if checkout.branch == target and checkout.path.is_dir():
            await _fast_forward_checkout(checkout.path, target, commit)
            if await git.head(repo, f"refs/heads/{target}") != commit:
                raise git.GitError(f"git merged {commit[:12]} in {checkout.path}, but {target} is not there after it.")
            return checkout.path
        if checkout.branch is None and await _rebases(checkout.path, target):
            raise git.GitError(f"{target} is being rebased in {checkout.path}; finish or abort that, then try again.")
    await git.git(repo, "update-ref", "-m", "apm: fast-forward", f"refs/heads/{target}", commit, old)
    return None


async def _fast_forward_checkout(checkout: Path, target: str, commit: str) -> None:
    changed = [path for _, path in await git.status(checkout, untracked=False)]
    if changed:
        names = one_line(", ".join(changed))
        raise git.GitError(
            f"{checkout} has {target} checked out with uncommitted changes ({names}); commit or stash them."
        )
    args = ("merge", "--quiet", "--ff-only", "--no-autostash", "--no-overwrite-ignore", commit)
    result = await git.git_result(checkout, *args, env=_as_asked(target))
    if not result.ok:
        raise git.GitError(f"{target} could not be moved in {checkout}: {git.told_of_merge(result.output)}")


def _as_asked(branch: str) -> dict[str, str]:
    """A branch may have options of its own for every merge, which come before ours and win: `--squash` moves nothing.
    By the environment, since on the command line a name may not hold what branches may."""
    name = f"branch.{branch}.mergeOptions"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": name, "GIT_CONFIG_VALUE_0": ""}


async def _rebases(checkout: Path, branch: str) -> bool:
    """Whether a rebase of `branch` is under way in a checkout: HEAD is detached then, but the branch is in use."""
    if not checkout.is_dir():
        return False
    names = ("rebase-merge/head-name", "rebase-apply/head-name")
    found = await git.git(checkout, "rev-parse", *(word for name in names for word in ("--git-path", name)))
    files = [checkout / line for line in found.splitlines()]
    return any(file.is_file() and file.read_text().strip() == f"refs/heads/{branch}" for file in files)
