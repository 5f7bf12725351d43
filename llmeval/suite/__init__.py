"""The suite file: its schema, its loader, and the small files next to it."""
