"""Manifests that run a suite in shards on other systems: one job a shard, then one that decides.

They are only printed. Each has a unique name, which is the group of its workers
(`LLMEVAL_RUN_GROUP`): the same manifest again continues the same run.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from llmeval.core.errors import DISTRIBUTION, UsageError

SECRET = "llmeval"
"""The Kubernetes secret with the keys of the endpoints, and LLMEVAL_STORE."""
_FOLDER, _MOUNT = "llmeval-runs", "/runs"
_MOST = 256
"""GitHub's limit for the jobs of a matrix."""


@dataclass(frozen=True)
class Launch:
    """What to run. `suite`: its file as the workers see it. `name`: of this launch; letters, digits
    and hyphens. `image`, `volume`: for Kubernetes, the container image with llmeval, and the volume
    claim that all pods share.
    """

    suite: str
    shards: int
    name: str
    image: str = ""
    volume: str = ""

    def check(self) -> None:
        """Raises UsageError: the number of shards is impossible."""
        if not 1 <= self.shards <= _MOST:
            raise UsageError(f"--shards must be from 1 to {_MOST}, not {self.shards}")

    def run(self, folder: str, number: str) -> str:
        """The command of one shard. `number`: its number in shell syntax, for its directory."""
        out = f"{folder}/{self.name}/shards/{number}"
        return f'llmeval run {shlex.quote(self.suite)} --shard auto --out "{out}"'

    def merge(self, folder: str) -> str:
        """The command that decides."""
        suite, runs = shlex.quote(self.suite), f"{folder}/{self.name}"
        return f"llmeval merge {runs}/shards --suite {suite} --out {runs}/merged"


def github(launch: Launch) -> str:
    """A workflow of GitHub Actions."""
    launch.check()
    shards = f"{_FOLDER}/{launch.name}/shards"
    prepare: list[Mapping[str, object]] = [
        {"uses": "actions/checkout@v4"},
        {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
        {"run": f"pip install '{DISTRIBUTION}[postgres]'"},
    ]
    workers = {
        "runs-on": "ubuntu-latest",
        "strategy": {"fail-fast": False, "matrix": {"shard": [*range(launch.shards)]}},
        "env": {
            "LLMEVAL_SHARD_INDEX": "${{ strategy.job-index }}",
            "LLMEVAL_SHARDS": "${{ strategy.job-total }}",
            "LLMEVAL_RUN_GROUP": f"{launch.name}-${{{{ github.run_id }}}}",
            "LLMEVAL_STORE": "${{ secrets.LLMEVAL_STORE }}",
        },
        "steps": [
            *prepare,
            {"run": launch.run(_FOLDER, "$LLMEVAL_SHARD_INDEX")},
            {
                "uses": "actions/upload-artifact@v4",
                "if": "always()",
                "with": {"name": "shard-${{ strategy.job-index }}", "path": shards},
            },
        ],
    }
    decide = {
        "needs": "shard",
        "runs-on": "ubuntu-latest",
        "steps": [
            *prepare,
            {
                "uses": "actions/download-artifact@v4",
                "with": {"path": shards, "pattern": "shard-*"},
            },
            {"run": launch.merge(_FOLDER)},
        ],
    }
    return (
        "# Let the branch protection require only the job `decide`.\n"
        "# Add the keys of your endpoints to the two `env`.\n"
    ) + _yaml({"name": launch.name, "on": ["pull_request"], "permissions": {"contents": "read"},
               "jobs": {"shard": workers, "decide": decide}})  # fmt: skip


def slurm(launch: Launch) -> str:
    """A shell script that submits an array, and a job that decides after it."""
    launch.check()
    settings = f"export LLMEVAL_SHARDS={launch.shards} LLMEVAL_RUN_GROUP={launch.name}"
    task = f"{settings}; {launch.run(_FOLDER, '$SLURM_ARRAY_TASK_ID')}"
    return f"""\
#!/bin/bash
# Run it on the login node, in a folder that all nodes see. Set LLMEVAL_STORE and the keys of the
# endpoints before: sbatch passes the environment on.
set -euo pipefail
array=$(sbatch --parsable --job-name={launch.name} --array=1-{launch.shards} \\
  --wrap={shlex.quote(task)})
sbatch --job-name={launch.name}-decide --dependency="afterany:${{array%%;*}}" \\
  --wrap={shlex.quote(launch.merge(_FOLDER))}
"""


def k8s(launch: Launch) -> str:
    """An indexed Job of Kubernetes 1.29 or newer, and a Job that decides."""
    launch.check()
    group = {"name": "LLMEVAL_RUN_GROUP", "value": launch.name}
    parts = {"name": "LLMEVAL_SHARDS", "value": str(launch.shards)}
    workers = {
        "completions": launch.shards,
        "parallelism": launch.shards,
        "completionMode": "Indexed",
        "backoffLimitPerIndex": 2,
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
                {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [2]}},
                {"action": "Count", "onExitCodes": {"operator": "In", "values": [3]}},
            ]
        },
        "template": _pod(launch, launch.run(_MOUNT, "$JOB_COMPLETION_INDEX"), [group, parts]),
    }
    decide = {"backoffLimit": 0, "template": _pod(launch, launch.merge(_MOUNT), [])}
    return (
        "# Save it as eval.yaml. The suite is in the image or on the volume.\n"
        f"# kubectl create secret generic {SECRET} --from-env-file=FILE\n"
        "# FILE has LLMEVAL_STORE=... and the keys of the endpoints.\n"
        "# kubectl apply -f eval.yaml -l llmeval/step=run\n"
        f"# kubectl wait --for=condition=complete --timeout=6h job/{launch.name}-run\n"
        "# kubectl apply -f eval.yaml -l llmeval/step=decide\n"
    ) + "---\n".join(
        _yaml({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": f"{launch.name}-{step}", "labels": {"llmeval/step": step}},
            "spec": spec,
        })
        for step, spec in (("run", workers), ("decide", decide))
    )  # fmt: skip


def _pod(launch: Launch, command: str, environment: list[dict[str, str]]) -> dict[str, object]:
    container = {
        "name": "llmeval",
        "image": launch.image,
        "command": ["sh", "-c", command],
        "env": environment,
        "envFrom": [{"secretRef": {"name": SECRET}}],
        "volumeMounts": [{"name": "runs", "mountPath": _MOUNT}],
    }
    volume = {"name": "runs", "persistentVolumeClaim": {"claimName": launch.volume}}
    pod = {"restartPolicy": "Never", "containers": [container], "volumes": [volume]}
    return {"spec": pod}


def _yaml(data: Mapping[str, object]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False, width=200, default_flow_style=False)
