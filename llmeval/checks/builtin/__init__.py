"""The checks that come with llmeval, by what they look at."""
