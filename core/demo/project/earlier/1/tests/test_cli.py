import io
import runpy
import sys

import pytest

from rowdown import cli

TABLE = "| fruit | price |\n| ----- | ----- |\n| apple | 0.40  |\n"


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("fruit,price\napple,0.40\n", encoding="utf-8")
    return path


def test_a_file_is_printed_as_a_table(prices, capsys):
    assert cli.main([str(prices)]) == cli.DONE
    assert capsys.readouterr().out == TABLE


def test_a_dash_reads_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("fruit,price\napple,0.40\n"))
    assert cli.main(["-"]) == cli.DONE
    assert capsys.readouterr().out == TABLE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "there is no header row"),
        (b"caf\xe9\n", "not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_table_ends_in_one_sentence_and_code_2(tmp_path, capsys, content, reason):
    path = tmp_path / "menu.csv"
    if content is not None:
        path.write_bytes(content)
    assert cli.main([str(path)]) == cli.FAILED
    captured = capsys.readouterr()
    assert captured.err == f"rowdown: {path}: {reason}\n"
    assert captured.out == ""


def test_the_version_is_that_of_the_installed_package(monkeypatch, capsys):
    monkeypatch.setattr(cli.metadata, "version", lambda name: "1.2.3")
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == "rowdown 1.2.3\n"


def test_a_checkout_that_is_not_installed_says_so(monkeypatch):
    def absent(name):
        raise cli.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(cli.metadata, "version", absent)
    assert cli.version() == "(not installed)"


def test_the_package_runs_as_a_module(prices, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["rowdown", str(prices)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("rowdown", run_name="__main__")
    assert ended.value.code == cli.DONE
    assert capsys.readouterr().out == TABLE
