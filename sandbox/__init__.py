"""The whole world on one machine."""
