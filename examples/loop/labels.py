"""The action of the trigger: labelled messages of the new slice extend training set and suite.

`llmeval trigger evaluate release.yaml --fire` runs it with the event on stdin. It imports the
messages since the drop began (`llmeval import log`) and takes the label that the staff gave. In
your own project, `llmeval labels sample` and `llmeval review` are the way to such labels.
"""

import json
import subprocess
import sys
from pathlib import Path

import data

WORK = Path("work")


def main() -> None:
    """Read the event, and extend `work/data`."""
    event = json.load(sys.stdin)["data"]
    departments = {str(each).removeprefix("department=") for each in event["new_slices"]}
    words = [sys.executable, "-m", "llmeval", "import", "log", str(WORK / "served.jsonl")]
    words += ["--map", "messages,output", "--since", event["since"], "--no-replay"]
    name = f"since-{event['since']}"
    if not (WORK / "imported" / f"{name}.yaml").exists():
        subprocess.run([*words, "--out", str(WORK / "imported"), "--name", name], check=True)
    outcomes = {str(row["id"]): row for row in data.read_lines(WORK / "outcomes.jsonl")}
    imported = data.read_lines(WORK / "imported" / "data" / f"{name}.jsonl")
    labelled = [outcomes[str(case["id"])] for case in imported if str(case["id"]) in outcomes]
    new = [row for row in labelled if department_of(row) in departments]
    trained, tested = data.add_new(WORK / "data", new)
    print(f"{len(imported)} messages since {event['since']}, {len(new)} of {sorted(departments)}:")
    print(f"{trained} added to the training set, {tested} to the suite (slice=new)")


def department_of(row: data.Row) -> str:
    """The department in a label."""
    label = row["label"]
    assert isinstance(label, dict)
    return str(label["department"])


if __name__ == "__main__":
    main()
