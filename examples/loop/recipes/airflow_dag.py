"""The loop as an Airflow DAG. Each task fails on any exit code but 0, and stops what follows.

airflow dags test llmeval_loop
"""

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

ROWS = "work/data/train-old.jsonl,work/data/train-new.jsonl:2"
ENV = {"LOOP_MODEL": "work/models/v2"}
with DAG("llmeval_loop", schedule=None, catchup=False) as dag:
    common = {"env": ENV, "append_env": True, "cwd": "examples/loop"}
    train = BashOperator(
        task_id="train",
        bash_command=f"python train.py --data {ROWS} --out work/models/v2",
        **common,
    )
    gate = BashOperator(
        task_id="gate", bash_command="llmeval run release.yaml --out work/runs/v2", **common
    )
    promote = BashOperator(
        task_id="promote",
        bash_command="llmeval promote work/runs/v2 --to work/models/production",
        **common,
    )
    train >> gate >> promote
