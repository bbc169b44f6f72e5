"""The variables that hold what Claude Code pays with, and the way in which each of them reaches it."""

from __future__ import annotations

BY_PIPE = {
    "ANTHROPIC_API_KEY": "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
    "CLAUDE_CODE_OAUTH_TOKEN": "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
}
"""Credentials that Claude Code reads from a pipe, whose number stands in the variable."""
BY_NAME = ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS")
"""Credentials that it takes from its environment only; its shell is started without them."""
CREDENTIALS = (*BY_PIPE, *BY_NAME)
