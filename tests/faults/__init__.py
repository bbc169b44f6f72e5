"""The program on a machine that fails, in real processes: `pytest tests/faults/machine.py` (a minute)."""
