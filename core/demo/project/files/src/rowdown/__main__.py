"""Run the command with `python -m rowdown`."""

from rowdown.cli import main

raise SystemExit(main())
