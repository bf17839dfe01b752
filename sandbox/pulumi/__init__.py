"""The real Pulumi engine offline: its CLI, a Python language host and a small AWS provider."""
