"""Who answers for a run: its seal, statements about it, approvals, and the chain of events."""
