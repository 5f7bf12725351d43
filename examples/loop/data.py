"""The data of the loop: messages of customers, each with its department and item.

A template is a cluster: messages of one template are not independent. Six departments have 84
templates that the training never sees. Rentals begin on day 31: of its 52 templates, 20 are for
training and 32 are for the suite.
"""

import argparse
import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
SYSTEM = "Answer as JSON: department, item."
NEW = "rentals"
TRAINED, TRAINED_NEW = 12, 20
"""Templates of a department that are for training; the others are for the suite."""
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


def examples(parts: list[tuple[str, str, str]], count: int, seed: int) -> list[Row]:
    """Messages with their labels: each template equally often, items and greetings at random."""
    drawn = random.Random(seed)
    rows: list[Row] = []
    for number in range(count):
        name, department, text = parts[number % len(parts)]
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
    by_id: dict[str, Row] = {}
    for row in rows:
        text = json.dumps(row["label"])
        name = hashlib.sha256(f"{row['message']}{text}".encode()).hexdigest()[:12]
        by_id[name] = {
            "id": f"{part}-{name}",
            "messages": messages_of(row),
            "reference": text,
            "cluster": row["template"],
            "tags": {"slice": part},
        }
    return list(by_id.values())


def day_of_traffic(day: int, count: int) -> list[Row]:
    """The messages of a day. From day 31 on 25 % are about rentals.

    Days draw from a pool of messages, and the server keeps its answers: 48 days of traffic then
    take the computing time of one.
    """
    new = round(count * NEW_SHARE) if day >= FIRST_NEW_DAY else 0
    pool = examples(templates(new=False, training=False), 84, seed=1000)
    rows = random.Random(day).choices(pool, k=count - new)
    rentals = all_rentals()
    first = (day - FIRST_NEW_DAY) * new % len(rentals)
    rows += (rentals + rentals)[first : first + new]
    random.Random(3000 + day).shuffle(rows)
    return rows


def all_rentals() -> list[Row]:
    """The messages about rentals: three of each template."""
    trained, tested = (templates(new=True, training=part) for part in (True, False))
    return examples(trained, 60, seed=2) + examples(tested, 96, seed=4)


def write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def read_lines(path: Path) -> list[Row]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write_first(folder: Path) -> None:
    """Write the training set and the suite's cases of the first release. Nobody rents yet."""
    trained, tested = (templates(new=False, training=part) for part in (True, False))
    write_lines(folder / "train-old.jsonl", examples(trained, 480, seed=1))
    write_lines(folder / "release.jsonl", cases(examples(tested, 252, seed=3), "old"))


def add_new(folder: Path, rows: Iterable[Row]) -> tuple[int, int]:
    """Add labelled messages: those of 20 templates to the training, the others to the suite.

    Returns:
        The number of messages for training, and of cases for the suite.
    """
    place = {str(row["message"]): number for number, row in enumerate(all_rentals())}
    kept = {str(row["message"]): row for row in rows}
    # in one order, however the messages came: then the training can be repeated
    kept = dict(sorted(kept.items(), key=lambda each: place[each[0]]))
    for_training = {name for name, *_ in templates(new=True, training=True)}
    trained = [row for row in kept.values() if row["template"] in for_training]
    tested = cases((row for row in kept.values() if row["template"] not in for_training), "new")
    write_lines(folder / "train-new.jsonl", trained)
    before = read_lines(folder / "release.jsonl")
    old = [case for case in before if not str(case["id"]).startswith("new-")]
    write_lines(folder / "release.jsonl", [*old, *tested])
    return len(trained), len(tested)


def main() -> None:
    """Write the data of the first release; with --new also the labelled messages about rentals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new", action="store_true", help="as if the traffic had been labelled")
    folder = Path("work/data")
    write_first(folder)
    if parser.parse_args().new:
        add_new(folder, all_rentals())


if __name__ == "__main__":
    main()
