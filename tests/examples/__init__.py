"""The examples are played."""
