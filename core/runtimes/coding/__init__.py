"""Agents that write code through a language model: a loop of tools in the work item's worktree, and nowhere else."""
