"""The verbs: one file per state of the workflow, named like it."""
