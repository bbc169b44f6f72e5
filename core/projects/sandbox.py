"""Where a project's commands run when a model wrote what they run: alone with the worktree, and without a network.

Bubblewrap makes the place out of what the command needs and nothing else: the system's programs, the interpreter, the
worktree. A home is there, but empty; git's folder can be read, so that tools which ask git get an answer, and not
written, so that nobody plants a hook or a setting that git would run later, outside.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.paths import real
from core.projects import git
from core.projects.child import to_the_end
from core.projects.commands import CommandResult, Limits, run
from core.projects.submodules import disarm

BUBBLEWRAP, NONE = "bubblewrap", "none"
NOTE = "sandbox: bubblewrap, no network"
WITHOUT = "no sandbox: bubblewrap is missing or not allowed here, so this ran as you, with your files and the network"
SWITCHED_OFF = "no sandbox: switched off for this project, so this ran as you, with your files and the network"
TEMPORARY_BYTES = 2**30
"""Of each folder that lives in memory."""
FILE_BYTES = 8 * 2**30
"""Of one file that a command writes: far beyond what builds and tests make, and less than a disk. Also of a file with
gaps, which takes less room than its size."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix/store", "/gnu/store")
_MASKED = ("/etc/shadow", "/etc/gshadow", "/etc/ssh", "/etc/ssl/private", "/etc/sudoers", "/etc/sudoers.d")
_TOOLCHAINS = (
    *(".pyenv", ".rbenv", ".asdf", ".nvm", ".fnm", ".volta", ".deno", ".bun/bin", ".sdkman", ".rustup"),
    *(".cargo/bin", ".cargo/registry", ".cargo/git", "go/pkg", "go/bin", ".m2/repository", ".gradle/caches"),
    *(".local/bin", ".local/pipx", ".local/share/pipx", ".local/share/uv", ".local/share/mise"),
)
"""Programs and libraries that people keep in their home. Folders that hold credentials beside them are not here."""

_USELESS = re.compile(r"(https?|all|no|ftp)_proxy|PIP_.*|XDG_.*|TMPDIR|TMP|TEMP", re.IGNORECASE)
"""Variables that only serve on a network or name folders that are not there; some carry passwords."""
_SAFE_SETTING = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|ignorecase|symlinks|precomposeunicode|autocrlf|eol)|extensions\.\w+"
)
_PROBE = ("true",)
_LIMITED = ("sh", "-c", f'ulimit -f {FILE_BYTES // 512} 2>/dev/null; exec "$@"', "sh")
"""Runs a command with a limit that it cannot raise; where there is a lower one already, with that. The shell counts in
blocks of 512 bytes."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a sandbox is made around. `visible` can be read besides the system, `writable` also written besides the
    worktree; what is not there is left out.

    `settings` is a file that stands where git's own settings do, whose addresses may hold passwords.
    """

    worktree: Path
    git_folders: tuple[Path, ...] = ()
    settings: tuple[Path, Path] | None = None
    """The file with git's settings, and what is shown in its place."""
    visible: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    disarmed: Path | None = None
    """The checkout in which the places of submodules are cleared after each command; none around an export."""
    carried: frozenset[str] = frozenset()
    """Absolute paths of what the repository itself brought into the user's checkout. A link among them, or a file that
    names folders, is a stranger's word and shows nothing."""


class Sandbox:
    """Runs commands confined where this machine can, and says which it was. One for all executions."""

    def __init__(self, program: str = "bwrap") -> None:
        """With an empty `program` nothing is confined, as a person has said."""
        self._program = program
        self._works: bool | None = None
        self._asking = asyncio.Lock()

    async def kind(self) -> str:
        """BUBBLEWRAP or NONE. Tried for real, once: being installed does not mean being allowed."""
        async with self._asking:
            if not self._program:
                self._works = False
            if self._works is None:
                argv = [self._program, *_walls(Path.home()), "--", *_PROBE]
                self._works = (await run(argv, cwd=Path("/"), limits=Limits(seconds=20.0))).ok
        return BUBBLEWRAP if self._works else NONE

    @property
    def without(self) -> str:
        """What is on record of a command that this sandbox did not confine."""
        return WITHOUT if self._program else SWITCHED_OFF

    async def run(self, argv: Sequence[str], place: Place, *, limits: Limits, env: Mapping[str, str]) -> CommandResult:
        """Run a command in the worktree. What is on record afterwards is the command, and in the note the sandbox, or
        why there was none.

        Whatever becomes of it, repositories that it put at the places of submodules are gone afterwards.
        """
        try:
            return await self._run(argv, place, limits, env)
        finally:
            if place.disarmed is not None:
                await to_the_end(disarm(place.disarmed))

    async def _run(self, argv: Sequence[str], place: Place, limits: Limits, env: Mapping[str, str]) -> CommandResult:
        if await self.kind() == NONE:
            result = await run(argv, cwd=place.worktree, limits=limits, env=env)
            return result.noted(self.without)
        # Taken out before bubblewrap starts: it stays as process 1 inside, where its environment can be read.
        useless = [word for name in sorted(os.environ) if _USELESS.fullmatch(name) for word in ("-u", name)]
        wrapped = [*_LIMITED, "env", *useless, self._program, *enclosure(place, argv, Path.home(), env), "--", *argv]
        result = await run(wrapped, cwd=place.worktree, limits=limits, env={"APM_SANDBOX": BUBBLEWRAP, **env})
        # That something was left running is always said of a sandbox: bubblewrap's own process ends a moment later.
        note = f"{NOTE}; {result.note}" if result.timed_out else NOTE
        return replace(result, argv=tuple(argv), note=note)


async def place_of(worktree: Path, scratch: Path, visible: Iterable[Path] = ()) -> Place:
    """The place around a worktree. Writes git's harmless settings to a file in `scratch`."""
    asked = await git.git(worktree, "rev-parse", "--path-format=absolute", "--git-common-dir", "--git-dir")
    common, own = (Path(line) for line in asked.splitlines())
    listed = await git.git(worktree, "config", "--local", "--list", "-z")
    shown = await asyncio.to_thread(_write_settings, listed, scratch / "git-settings")
    folders = tuple(dict.fromkeys((common, own)))
    settings = (common / "config", shown) if (common / "config").is_file() else None
    return Place(real(worktree), folders, settings, tuple(visible), disarmed=real(worktree))


def _write_settings(listed: str, file: Path) -> Path:
    entries = (entry.partition("\n") for entry in listed.split("\0") if entry)
    lines = []
    for name, _, value in entries:
        section, _, key = name.partition(".")
        if _SAFE_SETTING.fullmatch(name) and re.fullmatch(r"[\w.-]{0,80}", value):
            lines.append(f"[{section}]\n\t{key} = {value}\n")
    file.write_text("".join(lines), encoding="utf-8")
    return file


def enclosure(place: Place, argv: Sequence[str], home: Path, env: Mapping[str, str]) -> list[str]:
    """Bubblewrap's options for a command at a place."""
    tree = place.worktree
    programs = [*_programs(argv, env, place), *(home / name for name in _TOOLCHAINS)]
    options = _walls(home)
    for path in dict.fromkeys((*programs, *place.visible)):
        if not _is_wide(path, home, tree) and not _is_foreign(path, place):
            options += ["--ro-bind-try", str(real(path)), str(path)]
    for folder in (tree, *place.writable):
        options += ["--bind-try", str(folder), str(folder)]
    # Bound over itself, the worktree's pointer to its repository can be neither changed nor replaced.
    options += ["--ro-bind-try", str(tree / ".git"), str(tree / ".git")]
    for folder in place.git_folders:
        options += ["--ro-bind-try", str(folder), str(folder)]
    if place.settings is not None:
        options += ["--ro-bind", str(place.settings[1]), str(place.settings[0])]
    return [*options, "--setenv", "TMPDIR", "/tmp", "--chdir", str(tree)]


def _walls(home: Path) -> list[str]:
    """New namespaces of every kind, the system for reading, and empty folders where people and programs keep things."""
    options = ["--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "sandbox"]
    for path in _SYSTEM:
        options += ["--ro-bind-try", path, path]
    for path in _MASKED:
        if Path(path).is_dir():
            options += ["--tmpfs", path]
        elif Path(path).exists():
            options += ["--ro-bind", "/dev/null", path]
    options += ["--proc", "/proc", "--dev", "/dev"]
    for path in dict.fromkeys(("/tmp", "/var/tmp", "/run", str(home))):
        options += ["--size", str(TEMPORARY_BYTES), "--tmpfs", path]
    return options


def _programs(argv: Sequence[str], env: Mapping[str, str], place: Place) -> list[Path]:
    """The folders that a command's program lives in: those of the search path, and each a link to it leads through.

    A program in a folder `bin` brings what stands beside that folder: its libraries. Nothing is followed that a model
    or the repository may have written.
    """
    path = env.get("PATH", os.environ.get("PATH", os.defpath))
    found = [Path(folder) for folder in path.split(os.pathsep) if folder.startswith("/")]
    program = shutil.which(argv[0], path=path) if argv else None
    step = Path(program) if program else None
    for _ in range(20):
        if step is None or not step.is_absolute() or _is_foreign(step, place):
            break
        found.append(step.parent.parent if step.parent.name == "bin" else step.parent)
        settings = step.parent.parent / "pyvenv.cfg"
        if settings.is_file() and not _is_foreign(settings, place):
            base = re.search(r"^home\s*=\s*(/.*)$", settings.read_text(encoding="utf-8", errors="replace"), re.M)
            found += [Path(base[1].strip()).parent] if base else []
        step = step.parent / step.readlink() if step.is_symlink() else None
    return found


def _is_wide(path: Path, home: Path, tree: Path) -> bool:
    """Whether showing a folder would show the home, the worktree's surroundings, or what is already there.

    Judged by its name, which is where it would be shown, and by what a link of that name leads to.
    """
    named, there = Path(os.path.normpath(path)), real(path)
    if any(named.is_relative_to(system) for system in _SYSTEM):
        return True
    kept = [home, real(home), tree, Path("/tmp"), Path("/run"), *map(Path, _MASKED)]
    above = any(folder.is_relative_to(shown) for folder in kept for shown in (named, there))
    return above or any(there.is_relative_to(masked) for masked in _MASKED)


def _is_foreign(path: Path, place: Place) -> bool:
    """Whether a path lies in the worktree, or is or leads through something that the repository carries."""
    spelled = (path, real(path.parent) / path.name)
    return any(
        way.is_relative_to(place.worktree) or any(str(part) in place.carried for part in (way, *way.parents))
        for way in spelled
    )
