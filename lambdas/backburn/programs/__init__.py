"""Locating a value in a Pulumi program and editing it, one module per language."""
