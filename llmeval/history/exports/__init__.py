"""The history for other tools: files that they read, or calls that they take."""
