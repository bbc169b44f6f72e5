"""One process that works for a long time: what it takes must not grow."""
