"""What wakes Backburn besides a state or a request: a rule, a schedule."""
