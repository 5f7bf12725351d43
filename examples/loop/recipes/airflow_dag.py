"""The retraining as an Airflow DAG. A task fails on any exit code but 0, and stops what follows.

    LOOP_APPROVER=Ada airflow dags test llmeval_loop

`llmeval` and `python` are those of the PATH, and the folder is the one of the example.
"""

import itertools

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

ROWS = "work/data/train-old.jsonl,work/data/train-new.jsonl:2"
RUN = "work/runs/release/v2"
STEPS = {
    "data": "python data.py --new && llmeval data check release.yaml",
    "train": f"python train.py --data {ROWS} --out work/models/v2",
    "gate": f"llmeval run release.yaml --out {RUN} --reports work/runs",
    "approve": (
        f'llmeval approve {RUN} --by "$LOOP_APPROVER" --role release-manager'
        ' --reason "approved in Airflow"'
    ),
    "promote": f"llmeval promote {RUN} --to work/models/production",
}
with DAG("llmeval_loop", schedule=None, catchup=False) as dag:
    common = {"env": {"LOOP_MODEL": "work/models/v2"}, "append_env": True, "cwd": "examples/loop"}
    tasks = [BashOperator(task_id=n, bash_command=c, **common) for n, c in STEPS.items()]
    for first, second in itertools.pairwise(tasks):
        first >> second
