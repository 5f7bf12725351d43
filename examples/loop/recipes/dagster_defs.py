"""The retraining as a Dagster asset graph. A blocking check keeps the release from running.

    DAGSTER_HOME=$PWD/recipes LOOP_APPROVER=Ada \\
        dagster asset materialize -f recipes/dagster_defs.py --select '*'

`llmeval` and `python` are those of the PATH. Without LOOP_APPROVER nothing is promoted: the suite
demands an approval.
"""

import os
import subprocess

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    Definitions,
    Failure,
    asset,
    asset_check,
    in_process_executor,
)

DECIDED = {0: True, 1: False, 4: False}
"""Exit codes of a gate that has decided: PASS, FAIL, INCONCLUSIVE. Every other one is a fault."""
NAME = os.environ.get("LOOP_NAME", "v2")
ROWS = os.environ.get("LOOP_ROWS", "work/data/train-old.jsonl,work/data/train-new.jsonl:2")
RUN = f"work/runs/release/{NAME}"


def llmeval(*arguments: str) -> int:
    """Run `llmeval ARGUMENTS` in the example's folder; the exit code."""
    environment = {**os.environ, "LOOP_MODEL": f"work/models/{NAME}"}
    return subprocess.run(["llmeval", *arguments], check=False, env=environment).returncode


@asset
def labelled_data() -> None:
    """Training set and suite, with the labelled traffic."""
    subprocess.run(["python", "data.py", "--new"], check=True)
    if code := llmeval("data", "check", "release.yaml"):
        raise Failure(f"llmeval data check ended with exit code {code}")


@asset(deps=[labelled_data])
def adapter() -> None:
    """The retrained adapter."""
    words = ["python", "train.py", "--data", ROWS, "--out", f"work/models/{NAME}"]
    subprocess.run(words, check=True)


@asset_check(asset=adapter, blocking=True)
def release_test() -> AssetCheckResult:
    """The gate: a FAIL or an INCONCLUSIVE blocks what depends on the adapter."""
    code = llmeval("run", "release.yaml", "--out", RUN, "--reports", "work/runs")
    if code not in DECIDED:
        raise Failure(f"llmeval run ended with exit code {code}: nothing was decided")
    return AssetCheckResult(passed=DECIDED[code], metadata={"exit_code": code})


@asset(deps=[adapter])
def production(context: AssetExecutionContext) -> None:
    """The link that is served."""
    if approver := os.environ.get("LOOP_APPROVER"):
        words = ("--by", approver, "--role", "release-manager", "--reason", "approved in Dagster")
        llmeval("approve", RUN, *words)
    if code := llmeval("promote", RUN, "--to", "work/models/production"):
        raise Failure(f"llmeval promote refused with exit code {code}")
    context.log.info("promoted")


defs = Definitions(
    assets=[labelled_data, adapter, production],
    asset_checks=[release_test],
    executor=in_process_executor,
)
