"""What every runtime that asks a language model shares: dialogue, prompts, shapes of answers, prices, limits."""
