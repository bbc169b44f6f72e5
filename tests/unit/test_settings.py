"""A project's settings: what is legal, and what they become."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import UsageError
from core.projects.commands import run
from core.projects.settings import KEYS, expand, interpreter, python_path, validate

LEGAL: dict[str, Any] = {
    "test": ["make", "test"],
    "lint": [["ruff", "check", "."], ["mypy"]],
    "deploy": ["./deploy", "{version}"],
    "deployed": ["./is-deployed", "{version}"],
    "deploy_env": ["UPLOAD_TOKEN"],
    "health": {"url": "https://example.org/health"},
    "monitor": {"command": ["./probe"]},
    "setup": [],
    "python": ".venv/bin/python",
    "time_limit": 1.5,
    "coverage_source": ["src"],
    "sandbox": "off",
}


def test_every_key_has_a_legal_value() -> None:
    assert LEGAL.keys() == KEYS.keys()
    validate(LEGAL)
    validate({})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tets": ["x"]}, "Project settings: the key 'tets' is unknown; did you mean 'test'?"),
        ({"timelimit": 5}, "Project settings: the key 'timelimit' is unknown; did you mean 'time_limit'?"),
        ({"zzz": 1}, "Project settings: the key 'zzz' is unknown; known are test, lint,"),
        ({"test": "make test"}, "'test' is 'make test'; it must be a list of words, as in"),
        ({"test": []}, "'test' is []; it must be a list of words"),
        ({"lint": ["ruff", "check"]}, "'lint' is ['ruff', 'check']; it must be a list of commands"),
        ({"health": {"url": "ftp://x"}}, "'health' is {'url': 'ftp://x'}; it must be {\"url\""),
        ({"health": {"url": "http://x", "command": ["y"]}}, "'health' is"),
        ({"monitor": "http://x"}, "'monitor' is 'http://x'"),
        ({"python": " "}, "'python' is ' '; it must be the path of a Python interpreter."),
        ({"time_limit": 0}, "'time_limit' is 0; it must be a number of seconds above 0 and at most 86400."),
        ({"time_limit": True}, "'time_limit' is True"),
        ({"time_limit": "900"}, "'time_limit' is '900'"),
        ({"coverage_source": [""]}, "'coverage_source' is ['']; it must be a list of paths"),
        ({"sandbox": "on"}, "'sandbox' is 'on'; it must be auto or off."),
        ({"sandbox": []}, "'sandbox' is []; it must be auto or off."),
        ({"test": ["\x1b]0;x\x07", 1]}, r"'test' is ['\x1b]0;x\x07', 1]; it must be"),
        ({"test": "x" * 5_000}, "xxx…; it must be a list of words"),
    ],
)
def test_a_key_at_fault_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate(settings)
    assert message in str(caught.value)


def test_settings_that_are_no_object() -> None:
    with pytest.raises(UsageError, match="Project settings must be an object"):
        validate(["test"])  # type: ignore[arg-type]


VALUES = st.recursive(st.none() | st.text(max_size=5) | st.floats(), st.lists, max_leaves=5)


@given(st.dictionaries(st.sampled_from([*KEYS, "other"]), VALUES))
def test_validation_ends_in_a_sentence_whatever_the_value(settings: dict[str, Any]) -> None:
    message = ""
    try:
        validate(settings)
    except UsageError as error:
        message = str(error)
    assert message == "" or message.startswith("Project settings: ")


def test_words_in_braces_are_replaced() -> None:
    argv = ["{python}", "-m", "build", "--outdir={releases}/{version}", '{"a": {version}}', "{other}", "{{x}}"]
    values: dict[str, str | Path] = {"python": "/usr/bin/python3", "releases": Path("/r s"), "version": "1.0"}
    assert expand(argv, **values) == [
        "/usr/bin/python3", "-m", "build", "--outdir=/r s/1.0", '{"a": 1.0}', "{other}", "{{x}}",
    ]  # fmt: skip


def test_a_value_is_not_expanded_again() -> None:
    assert expand(["{version}"], version="{python}", python="no") == ["{python}"]


def test_a_word_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"uses \{version\}, which has no value here; use \{python\}\."):
        expand(["deploy", "{version}"], python="python")


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_the_interpreter_is_the_nearest_that_there_is(tmp_path: Path) -> None:
    project: dict[str, Any] = {"path": str(tmp_path), "settings": {}}
    assert interpreter(project) == Path(sys.executable)

    project["environment"] = str(tmp_path / "state")
    made = executable(tmp_path / "state" / "bin" / "python")
    assert interpreter(project) == made

    own = executable(tmp_path / ".venv" / "bin" / "python")
    assert interpreter(project) == own

    project["settings"] = {"python": "envs/a/bin/python"}
    assert interpreter(project) == tmp_path / "envs/a/bin/python"

    project["settings"] = {"python": "/usr/bin/python3"}
    assert interpreter(project) == Path("/usr/bin/python3")


@pytest.mark.parametrize(
    ("tech", "roots"),
    [
        ({}, [""]),
        ({"layout": "flat", "source_root": ""}, [""]),
        ({"layout": "src"}, ["src", ""]),
        ({"layout": "src", "source_root": "lib"}, ["lib", ""]),
    ],
)
def test_the_path_that_makes_the_worktree_win(tmp_path: Path, tech: dict[str, str], roots: list[str]) -> None:
    assert python_path(tmp_path, tech) == ":".join(str(tmp_path / root) for root in roots)


def test_the_worktree_wins_over_a_copy_that_is_installed(tmp_path: Path) -> None:
    """As an editable install of the user's checkout puts itself on the path, by a .pth file."""
    for name, value in (("checkout", "old"), ("worktree", "new")):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "src" / "shop.py").write_text(f"origin = {value!r}\n")
    code = f"import site; site.addsitedir({str(tmp_path)!r}); import shop; print(shop.origin)"
    (tmp_path / "shop.pth").write_text(f"{tmp_path}/checkout/src\n")
    env = {"PYTHONPATH": python_path(tmp_path / "worktree", {"layout": "src"})}

    result = asyncio.run(run([sys.executable, "-c", code], cwd=tmp_path, env=env))

    assert result.stdout == "new\n"
