"""The `claude-code` runtime: a specialist works in Claude Code, under our authority and our budgets."""
