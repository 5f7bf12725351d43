"""The data of the loop: messages of customers, each with its department and item.

A template is a cluster: messages of one template are not independent. The suites use templates
that the training never sees: 84 of six departments, 32 about rentals, which begin on day 31.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
SYSTEM = "Answer as JSON: department, item."
NEW = "rentals"
TRAINED, TRAINED_NEW = 12, 20
"""Templates of a department that are for training; the others are for the suites."""
FIRST_NEW_DAY, NEW_SHARE = 31, 0.25
ITEMS = (
    "kettle", "toaster", "blender", "lamp", "vacuum cleaner", "iron", "fan", "heater", "mixer",
    "coffee machine", "microwave", "freezer", "dishwasher", "oven", "radio", "printer", "monitor",
    "keyboard", "projector", "camera", "tripod", "drill", "saw", "ladder", "lawn mower", "tent",
    "bicycle", "helmet", "rice cooker", "sewing machine",
)  # fmt: skip
OPENERS = ("", "", "Hello. ", "Hi there. ", "Good morning. ", "Dear team, a question. ")
CLOSERS = ("", "", " Thank you.", " Thanks!", " Best wishes, Sam", " Please answer soon.")
Row = dict[str, object]


def templates(*, new: bool, training: bool) -> list[tuple[str, str, str]]:
    """(id, department, text) of each template of one part."""
    texts: dict[str, list[str]] = {}
    for line in (HERE / "templates.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            department, text = line.split(": ", 1)
            texts.setdefault(department, []).append(text)
    chosen = []
    for department, own in texts.items():
        if (department == NEW) is new:
            border = TRAINED_NEW if new else TRAINED
            rows = enumerate(own, 1)
            chosen += [
                (f"{department}-{number}", department, text)
                for number, text in rows
                if (number <= border) is training
            ]
    return chosen


def examples(count: int, *, new: bool, training: bool, seed: int) -> list[Row]:
    """Messages with their labels: each template equally often, items and greetings at random."""
    drawn = random.Random(seed)
    known = templates(new=new, training=training)
    rows: list[Row] = []
    for number in range(count):
        name, department, text = known[number % len(known)]
        item = drawn.choice(ITEMS)
        message = drawn.choice(OPENERS) + text.format(item=item) + drawn.choice(CLOSERS)
        label = {"department": department, "item": item}
        rows.append({"message": message, "label": label, "template": name})
    return rows


def messages_of(row: Mapping[str, object]) -> list[dict[str, str]]:
    """The chat that the model is sent."""
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": str(row["message"])},
    ]


def cases(rows: Iterable[Row], part: str) -> list[Row]:
    """Rows as cases of a suite: the template is the cluster, `slice` says old or new."""
    made = {}
    for row in rows:
        text = json.dumps(row["label"])
        name = hashlib.sha256(f"{row['message']}{text}".encode()).hexdigest()[:12]
        made[name] = {
            "id": f"{part}-{name}",
            "messages": messages_of(row),
            "reference": text,
            "cluster": row["template"],
            "tags": {"slice": part},
        }
    return list(made.values())


def day_of_traffic(day: int, count: int) -> list[Row]:
    """The messages of a day. From day 31 on 25 % are about rentals, which no model knows yet."""
    new = round(count * NEW_SHARE) if day >= FIRST_NEW_DAY else 0
    old = examples(count * 3, new=False, training=False, seed=1000 + day)
    rows = random.Random(day).sample(old, count - new)
    rows += examples(new, new=True, training=False, seed=2000 + day) if new else []
    random.Random(3000 + day).shuffle(rows)
    return rows


def write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def write_all(folder: Path) -> None:
    """Write the training sets and the cases of both suites."""
    old = examples(480, new=False, training=True, seed=1)
    new = examples(60, new=True, training=True, seed=2)
    write_lines(folder / "train-old.jsonl", old)
    write_lines(folder / "train-new.jsonl", new)
    tested = cases(examples(252, new=False, training=False, seed=3), "old")
    tested += cases(examples(96, new=True, training=False, seed=4), "new")
    write_lines(folder / "release.jsonl", tested)
    write_lines(folder / "release-old.jsonl", (row for row in tested if "old-" in str(row["id"])))


if __name__ == "__main__":
    write_all(Path("work/data"))
