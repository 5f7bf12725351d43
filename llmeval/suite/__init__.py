"""The suite file: its schema, its loader, and the small files beside it."""
