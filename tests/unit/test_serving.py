"""Who may reach the app in a browser, and the command that opens it there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_imports import loaded_by
from tui.cli.main import main
from tui.serving.access import Access, access_on, address, is_loopback, name_of
from tui.serving.session import ROOT, is_size, shell_command

OURS = Access(frozenset({"localhost", "desk"}), "key")
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


def refused(host: str, origin: str | None, key: str | None = "key", *, own_page_only: bool = True) -> str | None:
    return OURS.refusal(host, origin, key, own_page_only=own_page_only)


@pytest.mark.parametrize(
    "host", ["localhost:8000", "LOCALHOST:1", "desk", "127.0.0.1:8000", "[::1]:8000", "10.0.0.7:1"]
)
def test_our_own_page_may(host: str) -> None:
    assert refused(host, f"http://{host.lower()}") is None
    assert refused(host, None, own_page_only=False) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8000", "", "desk.local", "[evil]:1", "127.0.0.1.nip.io"]
)
def test_a_name_that_is_not_ours_is_refused(host: str) -> None:
    assert "not called" in (refused(host, f"http://{host}") or "")


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", "http://evil.example", "https://localhost:8000", "http://localhost", "http://localhost:8001"],
)
def test_a_page_of_another_origin_is_refused(origin: str | None) -> None:
    assert "another site" in (refused("localhost:8000", origin) or "")


@given(TEXTS.filter(lambda text: text != "key"))
def test_any_other_key_is_refused(key: str) -> None:
    assert "key is missing" in (refused("localhost", "http://localhost", key) or "")


@given(st.text(max_size=30), st.one_of(st.none(), st.text(max_size=30)), st.one_of(st.none(), st.text(max_size=8)))
def test_whatever_a_browser_sends_gets_an_answer(host: str, origin: str | None, key: str | None) -> None:
    reason = refused(host, origin, key)

    assert reason is None or len(reason) < 250


def test_keys_are_new_each_time_and_long() -> None:
    keys = {access_on("127.0.0.1").key for _ in range(50)}

    assert len(keys) == 50
    assert min(map(len, keys)) >= 20


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("desk", False)]
)
def test_what_only_this_machine_reaches(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_the_address_can_be_opened() -> None:
    assert address("127.0.0.1", 80, "k") == "http://127.0.0.1:80/?key=k"
    assert address("::1", 8000, "k") == "http://[::1]:8000/?key=k"
    assert "0.0.0.0" not in address("0.0.0.0", 8000, "k")
    assert name_of("[::1]:8000") == "::1"


@pytest.mark.parametrize("size", [(80, 24), (1, 1), (1_000, 1_000)])
def test_a_window_has_a_size(size: tuple[int, int]) -> None:
    assert is_size(*size)


@pytest.mark.parametrize("size", [(0, 24), (80, -1), (10**9, 24), ("80", 24), (None, None), (80.5, 24)])
def test_what_is_no_size_is_none(size: tuple[object, object]) -> None:
    assert not is_size(*size)


@settings(max_examples=6)
@given(st.lists(TEXTS, max_size=3))
def test_the_command_hands_on_any_text_to_the_letter(texts: list[str]) -> None:
    command = shell_command("tests.unit.test_serving", "echo", *texts)

    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd="/", check=True)

    assert done.stdout.decode() == repr(tuple(texts))


def echo(*texts: str) -> int:
    sys.stdout.buffer.write(repr(texts).encode())
    return 0


def test_the_command_passes_over_what_lies_in_the_current_folder(tmp_path: Path) -> None:
    """A project that is looked after may have a package of the same name."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text("raise SystemExit('not this one')")
    command = shell_command("tests.unit.test_serving", "echo", "here")

    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=tmp_path, check=True)

    assert done.stdout == b"('here',)"
    assert (ROOT / "tui").is_dir()


def test_the_server_is_imported_when_it_serves() -> None:
    assert loaded_by("tui.cli.serve") & {"aiohttp", "textual", "textual_serve"} == set()


@pytest.mark.parametrize("host", ["", "  "])
def test_an_empty_address_is_bad_usage(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", host]) == 2
    assert "--host is empty; name an address" in capsys.readouterr().err
