"""The tools that load generated files, run for real by `make test-loaders`: too slow and large for `make test`."""
