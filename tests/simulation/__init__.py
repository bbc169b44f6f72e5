"""The whole engine on a clock, a chance and a runtime of the test: a seed is a run, with its faults and its kills."""
