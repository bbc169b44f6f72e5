"""What a tool call of Claude Code amounts to: allowed, refused, or an act that authority or a person decides.

Pure but for looking at names of files. The lists name what is harmless; whatever they do not name goes to a person,
and what looks like a removal or like the network is called so even where the line cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from core.contract import Json
from core.paths import real
from core.runtimes.claude_code import paths, shell
from core.runtimes.claude_code.verdicts import Allowed, Place, Refused, Verdict, act, gravest
from core.sanitise import one_line

_CODE = frozenset(
    {"py", "js", "ts", "tsx", "jsx", "go", "rust", "java", "c", "cpp", "ruby", "php", "html", "css", "md", "markdown"}
)
"""Types of files that a search names, none of which holds secrets by its name."""
_OWN = frozenset({"TodoWrite", "StructuredOutput"})
"""Tools that touch nothing outside of the conversation."""

_REMOVES = re.compile(
    r"(?<![\w-])(rm|rmdir|unlink|shred|truncate|dd|mkfs\w*|wipefs|dropdb)(?![\w-])"
    r"|\s-delete\b|\bdrop\s+(table|database|schema)\b|\bdelete\s+from\b",
    re.IGNORECASE,
)
_REACHES_OUT = re.compile(
    r"(?<![\w-])(curl|wget|ssh|scp|sftp|rsync|nc|ncat|netcat|telnet|ftp|gh|glab|aws|gcloud|az|kubectl|twine|docker"
    r"|publish)(?![\w-])|\w://|/dev/(tcp|udp)/",
    re.IGNORECASE,
)
_GIT = re.compile(r"\bgit\b", re.IGNORECASE)
_GIT_REMOVES = re.compile(
    r"\b(push|reset|clean|restore|checkout|switch|stash|rebase|gc|reflog|prune|filter-branch|update-ref)\b|\s-\w*[dD]\b",
    re.IGNORECASE,
)
_GIT_REACHES_OUT = re.compile(r"\b(fetch|pull|clone|remote|ls-remote|submodule)\b", re.IGNORECASE)
_INSTALLS = (
    ("pip", "install"), ("pip3", "install"), ("python", "-m", "pip", "install"), ("python3", "-m", "pip", "install"),
    ("uv", "add"), ("uv", "pip", "install"), ("poetry", "add"), ("npm", "install"), ("npm", "i"), ("npm", "add"),
    ("yarn", "add"), ("pnpm", "add"), ("cargo", "add"), ("go", "get"), ("bundle", "add"), ("composer", "require"),
)  # fmt: skip
_PACKAGE = re.compile(r"@?[A-Za-z0-9][\w.-]*(/[\w.-]+)*(\[[\w,-]+\])?(([<>=!~]=?|@)[\w.,<>=!~^*-]+)?")
_HARMLESS_INSTALL_OPTIONS = frozenset({"-q", "--quiet", "-U", "--upgrade", "-D", "--save-dev", "--dev", "-E"})

_READERS = frozenset({"cat", "head", "tail", "wc", "ls", "stat"})
_PLAIN_OPTION = re.compile(r"-[A-Za-z0-9]{1,8}|--[a-z][a-z-]{1,24}")
_FOLLOWS = re.compile(r"-[A-Za-z]*[fF].*|--follow|--retry|--files0-from")
_TEST_OPTIONS = re.compile(
    r"-[qvxs]{1,4}|--(lf|ff|last-failed|failed-first)|--maxfail=\d+|--tb=(short|long|line|no)|-n\d"
)
_GIT_READS = frozenset({"status", "diff", "log", "show", "ls-files"})
_ONLY_NAMES = frozenset({"--stat", "--name-only", "--name-status"})
_GIT_OPTIONS = re.compile(
    r"-[apqsvuAn]|-am|-\d{1,4}|--(all|stat|oneline|cached|staged|name-only|name-status|short|porcelain|quiet|verbose"
    r"|no-color|no-ext-diff|no-pager)|--"
)


def declared(project: Json, python: Path) -> tuple[tuple[str, ...], ...]:
    """The commands that a project names for its tests and checks, as an agent may write them."""
    settings, tech = project.get("settings", {}), project.get("tech", {})
    named = [settings.get("test") or (), *(settings.get("lint") or ())]
    named += [found.get("argv", ()) for found in tech.get("analysers", ())]
    if not settings.get("test") and tech.get("test_runner") in ("pytest", "unittest"):
        named.append(["{python}", "-m", str(tech["test_runner"])])
    ways = {way for argv in named if argv for way in _ways([str(word) for word in argv], python)}
    return tuple(sorted(ways))


def _ways(argv: Sequence[str], python: Path) -> list[tuple[str, ...]]:
    """The command itself, with the interpreter by its names, and a module by its program's name."""
    if argv[0] != "{python}":
        return [tuple(argv)]
    ways = [(name, *argv[1:]) for name in ("python", "python3", str(python))]
    if argv[1:2] == ["-m"] and argv[2] != "unittest":
        ways.append(tuple(argv[2:]))
    return ways


def judge(tool: str, given: Json, place: Place) -> Verdict:
    """What a call of a tool with this input amounts to."""
    if tool in _OWN:
        return Allowed()
    rule = _RULES.get(tool)
    if rule is not None:
        return rule(given, place)
    if tool.startswith("mcp__"):
        return act("external_service", f"call {one_line(tool, 80)}")
    return Refused(f"{one_line(tool, 80)} is no tool for this work; do it with the tools you have.")


def _read(given: Json, place: Place) -> Verdict:
    return paths.reading(str(given.get("file_path") or given.get("notebook_path") or ""), place)


def _write(given: Json, place: Place) -> Verdict:
    return paths.writing(str(given.get("file_path") or given.get("notebook_path") or ""), place)


def _search(given: Json, place: Place) -> Verdict:
    """Grep and Glob: the folder, and where a pattern itself names one."""
    base, patterns = str(given.get("path") or "."), [str(given["glob"])] if given.get("glob") else []
    verdict = gravest([paths.reading(base, place), *(_pattern(p, place) for p in patterns)])
    if not isinstance(verdict, Allowed) or given.get("output_mode") != "content" or given.get("type") in _CODE:
        return verdict
    found = next((p for p in paths.secrets_below(base, place) if _reaches(patterns, p.name)), None)
    if found is None:
        return verdict
    return Refused(
        f"The lines would be told of {one_line(found.name)} too, which is where secrets are kept. Search a folder "
        "without it, or with a glob that leaves it out, as `*.py` does."
    )


def _reaches(patterns: Sequence[str], name: str) -> bool:
    """Whether a search with this glob looks into a file of this name; where that is in doubt, it does."""
    for pattern in patterns:
        ends = _each(pattern.removeprefix("!").rpartition("/")[2])
        if any(re.search(r"[{}\s]|^(\*\*)?$", end) for end in ends):
            continue
        matches = any(fnmatch(name.casefold(), end.casefold()) for end in ends)
        if matches == pattern.startswith("!"):
            return False
    return True


def _each(pattern: str) -> list[str]:
    """The patterns that a pattern with one choice in braces stands for."""
    found = re.fullmatch(r"([^{}]*)\{([^{}]*)\}([^{}]*)", pattern)
    return [f"{found[1]}{one}{found[3]}" for one in found[2].split(",")] if found else [pattern]


def _glob(given: Json, place: Place) -> Verdict:
    base = str(given.get("path") or ".")
    return gravest([paths.reading(base, place), _pattern(str(given.get("pattern", "")), place)])


def _pattern(pattern: str, place: Place) -> Verdict:
    """A pattern is held against what it begins with; one that climbs or names secrets is no plain pattern."""
    fixed = re.split(r"[*?\[{]", pattern, maxsplit=1)[0]
    if ".." in pattern.split("/"):
        return act("run_command", f"search {one_line(pattern)}, which climbs out of its folder")
    return gravest([paths.reading(fixed or ".", place), paths.reading(pattern, place)])


def _fetch(given: Json, place: Place) -> Verdict:
    del place
    return act("external_service", f"fetch {one_line(str(given.get('url') or given.get('query') or 'a page'))}")


def _bash(given: Json, place: Place) -> Verdict:
    text = str(given.get("command", ""))
    shown = one_line(text)
    line = shell.read(text)
    if not line.plain or given.get("run_in_background") or not line.commands:
        return _unread(text, shown)
    return gravest(_command(words, place, shown) for words in line.commands)


def _unread(text: str, shown: str) -> Verdict:
    """A line that cannot be followed: the gravest that stands anywhere in it, and never less than a command."""
    is_git = bool(_GIT.search(text))
    if _REMOVES.search(text) or (is_git and _GIT_REMOVES.search(text)):
        return act("data_removal", shown)
    reaches_out = _REACHES_OUT.search(text) or (is_git and _GIT_REACHES_OUT.search(text))
    return act("external_service" if reaches_out else "run_command", shown)


def _command(words: tuple[str, ...], place: Place, shown: str) -> Verdict:
    for rule in (_is_test, _install, _git, _reader, _small):
        verdict = rule(words, place, shown)
        if verdict is not None:
            return verdict
    return _unread(" ".join(words), shown)


def _is_test(words: tuple[str, ...], place: Place, shown: str) -> Verdict | None:
    """A command that the project declares, with nothing added but files inside and options that only report."""
    for known in place.commands:
        if words[: len(known)] == known and all(_is_plain_extra(word, place) for word in words[len(known) :]):
            return act("test_strategy", shown)
    return None


def _is_plain_extra(word: str, place: Place) -> bool:
    if word.startswith("-"):
        return bool(_TEST_OPTIONS.fullmatch(word))
    # pytest takes more arguments out of a file whose name follows an @.
    return not word.startswith("@") and isinstance(paths.reading(word.partition("::")[0], place), Allowed)


def _install(words: tuple[str, ...], place: Place, shown: str) -> Verdict | None:
    for known in _INSTALLS:
        if words[: len(known)] == known and len(words) > len(known):
            usual = all(_is_from_the_usual_source(word, place) for word in words[len(known) :])
            return act("new_dependency" if usual else "external_service", shown)
    return None


def _is_from_the_usual_source(word: str, place: Place) -> bool:
    """A package's name or a harmless option; another index, a file or an address is another source."""
    if word in _HARMLESS_INSTALL_OPTIONS:
        return True
    scoped = word.startswith("@") or "/" not in word
    return scoped and bool(_PACKAGE.fullmatch(word)) and not (place.cwd / word).exists()


def _git(words: tuple[str, ...], place: Place, shown: str) -> Verdict | None:
    if words[0] != "git" or len(words) < 2:
        return None
    verb, rest = words[1], words[2:]
    if verb == "commit":
        return Allowed() if _is_plain_commit(rest) else None
    options = all(_GIT_OPTIONS.fullmatch(word) for word in rest if word.startswith("-"))
    names = [word for word in rest if not word.startswith("-")]
    if not options:
        return None
    if verb in _GIT_READS:
        # Names are revisions or files; a file that holds secrets is not shown by way of git either.
        verdict = gravest(paths.reading(n.rpartition(":")[2] or ".", place) for n in names)
        return _patch(verb, rest, names, place) if isinstance(verdict, Allowed) else verdict
    if verb == "add":
        return gravest(_making(name, place) for name in names)
    if verb in ("rm", "mv") and names and not any((place.cwd / name).is_dir() for name in names):
        own = gravest(paths.writing(name, place) for name in names)
        return act("refactoring", shown) if isinstance(own, Allowed) else own
    return None


def _patch(verb: str, rest: Sequence[str], names: Sequence[str], place: Place) -> Verdict:
    """A patch of other revisions is of named files, where there are such with secrets."""
    shows = verb == "show" or (verb == "log" and not {"-p", "-u"}.isdisjoint(rest)) or (verb == "diff" and bool(names))
    if not shows or not _ONLY_NAMES.isdisjoint(rest):
        return Allowed()
    files = [name for name in names if ":" in name or (place.cwd / name).exists()]
    folders = [name for name in files if ":" not in name and (place.cwd / name).is_dir()]
    looked = folders if files else [str(place.worktree)]
    found = next((path for name in looked for path in paths.secrets_below(name, place)), None)
    if found is None:
        return Allowed()
    return Refused(
        f"A patch may show {one_line(found.name)}, which is where secrets are kept. Name the files after `--`, or take "
        "--stat or --name-only."
    )


def _is_plain_commit(rest: Sequence[str]) -> bool:
    """Only messages and -a: hooks are off already, and nothing else is taken from a file or rewritten."""
    words = iter(rest)
    for word in words:
        if word in ("-m", "-am", "--message"):
            if next(words, None) is None:
                return False
        elif word not in ("-a", "--all", "-q", "--quiet"):
            return False
    return bool(rest)


def _reader(words: tuple[str, ...], place: Place, shown: str) -> Verdict | None:
    del shown
    if words[0] not in _READERS:
        return None
    options = [word for word in words[1:] if word.startswith("-")]
    if any(_FOLLOWS.fullmatch(w) or not _PLAIN_OPTION.fullmatch(w) for w in options):
        return None
    names = [word for word in words[1:] if not word.startswith("-")]
    return gravest(paths.reading(name, place) for name in names)


def _small(words: tuple[str, ...], place: Place, shown: str) -> Verdict | None:
    del shown
    program, rest = words[0], words[1:]
    if program in ("pwd", "true") and not rest:
        return Allowed()
    if program == "echo":
        return Allowed()
    if program == "cd" and len(rest) == 1 and real(place.cwd / rest[0]) == real(place.worktree):
        return Allowed()
    if program in ("mkdir", "touch") and rest:
        names = [word for word in rest if word != "-p"]
        return gravest(_making(name, place) for name in names) if not any(n[0] == "-" for n in names if n) else None
    return None


def _making(name: str, place: Place) -> Verdict:
    """A folder that is there already stays as it is; anything else is held to what may be written."""
    return paths.reading(name, place) if (place.cwd / name).is_dir() else paths.writing(name, place)


_RULES: Mapping[str, Callable[[Json, Place], Verdict]] = {
    "Read": _read,
    "NotebookRead": _read,
    "Write": _write,
    "Edit": _write,
    "MultiEdit": _write,
    "NotebookEdit": _write,
    "Grep": _search,
    "Glob": _glob,
    "Bash": _bash,
    "WebFetch": _fetch,
    "WebSearch": _fetch,
}
