"""Which runtimes of models the environment names."""

from __future__ import annotations

import pytest

from core.orchestration.model_runtimes import missing
from core.runtimes.claude_code.credentials import CREDENTIALS


def test_without_a_variable_each_says_what_it_lacks() -> None:
    assert missing({}) == {
        "anthropic": "ANTHROPIC_API_KEY is not set",
        "openai-compatible": "OPENAI_API_KEY is not set",
        "claude-code": "ANTHROPIC_API_KEY is not set",
    }


@pytest.mark.parametrize("name", CREDENTIALS)
def test_claude_code_is_there_with_any_of_its_credentials(name: str) -> None:
    assert missing({name: "x"})["claude-code"] == ""


def test_a_server_on_this_machine_needs_no_key() -> None:
    found = missing({"ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "OPENAI_BASE_URL": "http://127.0.0.1:2/v1"})

    assert (found["anthropic"], found["openai-compatible"]) == ("", "")
