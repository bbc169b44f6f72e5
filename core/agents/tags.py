"""The tags that mark a project's releases, and how the next one is written."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.agents.bumps import is_greater, is_version
from core.projects.git import git

USUAL_PREFIXES = ("v", "")
_TAG = re.compile(r"(.*?)(\d[0-9A-Za-z.!+_-]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReleaseTag:
    """A tag that names a version: `prefix` is what stands before it."""

    prefix: str
    version: str

    @property
    def name(self) -> str:
        return self.prefix + self.version


def read_tag(name: str) -> ReleaseTag | None:
    """`v1.2.0`, `1.2.0`, `parser-1.2.0`; None for a tag that ends in no version."""
    match = _TAG.fullmatch(name)
    if match is None or "." not in match[2] or not is_version(match[2]):
        return None
    return ReleaseTag(match[1], match[2])


async def release_tags(repo: Path, commit: str) -> tuple[ReleaseTag, ...]:
    """The release tags on `commit` and what lies before it."""
    names = (await git(repo, "tag", "--list", "--merged", commit)).splitlines()
    return tuple(tag for name in names if (tag := read_tag(name)))


async def tags_of(repo: Path, work_item: str) -> frozenset[str]:
    """The names of the tags that apm has set for this work item."""
    form = "%(refname:strip=2)%00%(contents:trailers:key=Apm-Work-Item,valueonly,separator=%00)"
    lines = (await git(repo, "for-each-ref", f"--format={form}", "refs/tags")).splitlines()
    words = [line.split("\0") for line in lines]
    return frozenset(name for name, *items in words if work_item in [item.strip() for item in items])


def prefix_of(tags: Sequence[ReleaseTag], current: str) -> str:
    """What stands before the version in this project's tags: as for `current`, else as usual, else `v`."""
    of_current = [tag.prefix for tag in tags if tag.version == current]
    counts = Counter(of_current or [tag.prefix for tag in tags])
    usual = [prefix for prefix in USUAL_PREFIXES if prefix in counts]
    return max(usual or counts, key=lambda prefix: counts[prefix]) if counts else USUAL_PREFIXES[0]


def newest_version(tags: Sequence[ReleaseTag]) -> str | None:
    """The greatest version among the tags of the project's own prefix."""
    prefix = prefix_of(tags, "")
    versions = [tag.version for tag in tags if tag.prefix == prefix]
    return max(versions, key=functools.cmp_to_key(_compare)) if versions else None


def _compare(one: str, other: str) -> int:
    try:
        return int(is_greater(one, other)) - int(is_greater(other, one))
    except ValueError:
        return (one > other) - (one < other)
