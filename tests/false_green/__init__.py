"""The first law, played from outside: a run never says PASS for something that it has not seen.

Each test builds a project in a folder of its own, plays `llmeval` against a real server on this
machine, and asserts the exit code and the words. docs/promises.md names these tests beside the
promises that they hold.
"""
