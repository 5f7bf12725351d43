"""The retraining as Luigi tasks. Without --retcode-task-failed 1 a failed gate exits 0.

    PYTHONPATH=recipes luigi --module luigi_flow Promote --by Ada --local-scheduler \\
        --retcode-task-failed 1

`llmeval` and `python` are those of the PATH.
"""

import os
import subprocess

import luigi


def started(name: str, *words: str) -> None:
    """Run a program; any exit code but 0 fails the task."""
    environment = {**os.environ, "LOOP_MODEL": f"work/models/{name}"}
    subprocess.run(words, check=True, env=environment)


class Train(luigi.Task):  # type: ignore[misc]  # luigi has no types
    """The retrained adapter."""

    name = luigi.Parameter(default="v2")
    rows = luigi.Parameter(default="work/data/train-old.jsonl,work/data/train-new.jsonl:2")

    def output(self) -> luigi.LocalTarget:
        """The adapter."""
        return luigi.LocalTarget(f"work/models/{self.name}")

    def run(self) -> None:
        """Write the data, check them, and train."""
        started(self.name, "python", "data.py", "--new")
        started(self.name, "llmeval", "data", "check", "release.yaml")
        out = ("--out", f"work/models/{self.name}")
        started(self.name, "python", "train.py", "--data", self.rows, *out)


class Gate(Train):
    """The release test of the retrained model."""

    def requires(self) -> Train:
        """The training first."""
        return Train(self.name, self.rows)

    def output(self) -> luigi.LocalTarget:
        """Written only after a PASS."""
        return luigi.LocalTarget(f"work/runs/release/{self.name}.passed")

    def run(self) -> None:
        """Run the gate."""
        run = f"work/runs/release/{self.name}"
        started(self.name, "llmeval", "run", "release.yaml", "--out", run, "--reports", "work/runs")
        with self.output().open("w") as file:
            file.write("PASS\n")


class Promote(Gate):
    """The release."""

    by = luigi.Parameter(description="who approves")

    def requires(self) -> Gate:
        """The gate first."""
        return Gate(self.name, self.rows)

    def output(self) -> luigi.LocalTarget:
        """Written after the promotion."""
        return luigi.LocalTarget(f"work/runs/release/{self.name}.promoted")

    def run(self) -> None:
        """Approve and promote; `llmeval promote` checks the run again."""
        run = f"work/runs/release/{self.name}"
        reason = ("--reason", "approved in Luigi")
        by = ("--by", self.by, "--role", "release-manager")
        started(self.name, "llmeval", "approve", run, *by, *reason)
        started(self.name, "llmeval", "promote", run, "--to", "work/models/production")
        with self.output().open("w") as file:
            file.write("promoted\n")
