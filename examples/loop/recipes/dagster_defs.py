"""The loop as a Dagster asset graph. A blocking check keeps the release from running.

DAGSTER_HOME=$PWD/recipes dagster asset materialize -f recipes/dagster_defs.py --select '*'
"""

import os
import subprocess
import sys

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


def llmeval(*arguments: str) -> int:
    """Run `llmeval ARGUMENTS` in the example's folder."""
    environment = {**os.environ, "LOOP_MODEL": f"work/models/{NAME}"}
    words = [sys.executable, "-m", "llmeval", *arguments]
    return subprocess.run(words, check=False, env=environment).returncode


@asset
def adapter() -> None:
    """The retrained adapter; LOOP_TRAIN replaces the command."""
    rows = "work/data/train-old.jsonl,work/data/train-new.jsonl:2"
    trained = f"{sys.executable} train.py --data {rows} --out work/models/{NAME}"
    subprocess.run(os.environ.get("LOOP_TRAIN", trained).split(), check=True)


@asset_check(asset=adapter, blocking=True)
def release_test() -> AssetCheckResult:
    """The gate: a FAIL or an INCONCLUSIVE blocks what depends on the adapter."""
    code = llmeval("run", "release.yaml", "--out", f"work/runs/{NAME}")
    if code not in DECIDED:
        raise Failure(f"llmeval run ended with exit code {code}: nothing was decided")
    return AssetCheckResult(passed=DECIDED[code], metadata={"exit_code": code})


@asset(deps=[adapter])
def production(context: AssetExecutionContext) -> None:
    """The link that is served."""
    code = llmeval("promote", f"work/runs/{NAME}", "--to", "work/models/production")
    if code:
        raise Failure(f"llmeval promote refused with exit code {code}")
    context.log.info("promoted")


defs = Definitions(
    assets=[adapter, production], asset_checks=[release_test], executor=in_process_executor
)
