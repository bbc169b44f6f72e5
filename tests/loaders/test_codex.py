"""Codex offers every generated role to its model, and reads AGENTS.md to its end."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.loaders import installing
from tests.loaders.teams import HOSTILE, generated


def prompt(root: Path) -> str:
    """All text that the model would see, with nothing said to it yet."""
    program = installing.one(installing.npm("codex"), "@openai/codex-*/vendor/*/bin/codex")
    environment = installing.environment("codex", OPENAI_API_KEY="none")
    settings = Path(environment["HOME"]) / ".codex"
    settings.mkdir()
    trusted = f'[projects.{json.dumps(str(root))}]\ntrust_level = "trusted"\n'
    (settings / "config.toml").write_text(trusted, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    done = subprocess.run(
        [program, "debug", "prompt-input", "hello"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "WARN" not in done.stderr
    return "\n".join(_texts(json.loads(done.stdout)))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _texts(part)]


def test_it_offers_every_role_with_its_description(tmp_path: Path) -> None:
    team = generated(tmp_path, "codex", extra=HOSTILE)

    seen = prompt(tmp_path)

    for subject in team:
        assert re.search(rf"^{subject.role}: \{{\n{re.escape(subject.description)}\n", seen, re.MULTILINE), subject.role


def test_a_file_that_is_wrong_vanishes_without_a_word(tmp_path: Path) -> None:
    """Why the absence of a complaint proves nothing here, and every role is looked for by name."""
    generated(tmp_path, "codex")
    (tmp_path / ".codex/agents/ac-writer.toml").write_text('name = "ac-writer"\n', encoding="utf-8")

    seen = prompt(tmp_path)

    assert "ac-writer: {" not in seen
    assert "estimator: {" in seen


def test_it_reads_the_section_of_agents_md_to_its_end(tmp_path: Path) -> None:
    generated(tmp_path, "agents-md", extra=HOSTILE)

    assert (tmp_path / "AGENTS.md").read_text(encoding="utf-8").strip() in prompt(tmp_path)
