"""The project that `apm demo` works on: a small command-line tool with a real history, and what is asked of it.

`project/files` is the project as its last release left it, `project/earlier/N` the files as the N-th commit of
`project/history.json` had them where that differs. Commits and tags carry fixed authors and dates and pass through
`git fast-import`, which no hook, no signing key and no setting of the machine takes part in: every machine gets the
same hashes.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from core.contract import ApmError, Json
from core.projects.git import git, tag_at

NAME = "rowdown"
HEAD_COMMIT = "d238fc42f54bc05d642d5f781075899455278a71"
"""The commit of the last release, which is where the work on the request starts."""

_HERE = Path(__file__).parent
_FILES, _EARLIER = _HERE / "project" / "files", _HERE / "project" / "earlier"
_PLAIN_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


async def write_project(folder: Path) -> Path:
    """Make the sample project in `folder`, all of it or nothing, and return the folder.

    Raises ApmError when the folder holds something, or when git cannot make a repository there.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ApmError(f"The sample project cannot go to {folder}: something is there. Name a folder that is new.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        built = scratch / folder.name
        built.mkdir()
        await _make_repository(built)
        if folder.exists():
            folder.rmdir()
        built.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


async def is_project(folder: Path) -> bool:
    """Whether the sample project is already there, so that a demo that was cut short goes on with it."""
    return (folder / ".git").is_dir() and await tag_at(folder, _last_tag()) == HEAD_COMMIT


def request() -> Json:
    """The change request, as the content of a `request.raw` artifact."""
    first, _, body = (_HERE / "request.md").read_text(encoding="utf-8").partition("\n")
    return {
        "title": first.removeprefix("# ").strip(),
        "type": "feature",
        "body": body.strip() + "\n",
        "tags": ["documentation", "command-line"],
        "impact": 5,
    }


def cassette_path() -> Path:
    """The recorded answers of the two coding agents, for the `replay` runtime."""
    return _HERE / "cassette.json"


async def _make_repository(folder: Path) -> None:
    """An empty repository, the whole history in one stream, and the last commit checked out."""
    await git(folder, "init", "--quiet", "--initial-branch=main", "--object-format=sha1", "--template=", env=_PLAIN_GIT)
    await git(folder, "fast-import", "--quiet", stdin=_history_stream(), env=_PLAIN_GIT)
    await git(folder, "reset", "--quiet", "--hard", "main", env=_PLAIN_GIT)


def _commits() -> list[Json]:
    commits: list[Json] = json.loads((_HERE / "project" / "history.json").read_text(encoding="utf-8"))["commits"]
    return commits


def _last_tag() -> str:
    return str(_commits()[-1]["tag"])


def _history_stream() -> bytes:
    """The commits and tags in the language of `git fast-import`."""
    return b"".join(_commit_stream(number, commit) for number, commit in enumerate(_commits(), start=1))


def _commit_stream(number: int, commit: Json) -> bytes:
    who = f"{commit['author']} {_git_date(commit['date'])}"
    message = f"{commit['subject']}\n\n{commit['body']}\n"
    parts = [f"commit refs/heads/main\nauthor {who}\ncommitter {who}\n".encode(), _data(message.encode())]
    for path in commit["paths"]:
        parts += [f"M 100644 inline {path}\n".encode(), _data(_content(number, path))]
    if commit["tag"]:
        note = f"{NAME} {commit['tag'].removeprefix('v')}\n"
        parts += [f"tag {commit['tag']}\nfrom refs/heads/main\ntagger {who}\n".encode(), _data(note.encode())]
    return b"".join(parts)


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _content(number: int, path: str) -> bytes:
    """A file as the numbered commit has it: its earlier form where there is one."""
    earlier = _EARLIER / str(number) / path
    return (earlier if earlier.is_file() else _FILES / path).read_bytes()


def _git_date(text: str) -> str:
    """`2026-03-05T09:12:00+01:00` as git's raw form: seconds since the epoch, and the offset of the place."""
    at = datetime.fromisoformat(text)
    return f"{int(at.timestamp())} {at:%z}"
