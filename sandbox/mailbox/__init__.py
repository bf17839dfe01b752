"""The mailboxes of everybody in the sandbox, on one page."""
