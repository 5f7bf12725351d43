"""The loop as Luigi tasks. Without --retcode-task-failed 1 a failed gate exits 0.

luigi --module luigi_flow Promote --local-scheduler --retcode-task-failed 1
"""

import subprocess

import luigi


class Gate(luigi.Task):  # type: ignore[misc]  # luigi has no types
    """The release test of the retrained model."""

    name = luigi.Parameter(default="v2")

    def output(self) -> luigi.LocalTarget:
        """Written only after a PASS."""
        return luigi.LocalTarget(f"work/runs/{self.name}.passed")

    def run(self) -> None:
        """Run the gate; any exit code but 0 fails the task."""
        words = ["llmeval", "run", "release.yaml", "--out", f"work/runs/{self.name}"]
        subprocess.run(words, check=True)
        with self.output().open("w") as file:
            file.write("PASS\n")


class Promote(luigi.Task):  # type: ignore[misc]
    """The release."""

    name = luigi.Parameter(default="v2")

    def requires(self) -> Gate:
        """The gate first."""
        return Gate(self.name)

    def run(self) -> None:
        """Promote; `llmeval promote` checks the run again."""
        words = ["llmeval", "promote", f"work/runs/{self.name}", "--to", "work/models/production"]
        subprocess.run(words, check=True)
