"""promptfoo's configuration (documented at promptfoo.dev/docs/configuration) as suites."""
