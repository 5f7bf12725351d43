"""Pages of all runs: served on this machine, or written as files."""
