"""Arithmetic on spans: trees, self time, comparison of two windows."""
