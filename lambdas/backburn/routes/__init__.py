"""The only HTTP: one file per route."""
