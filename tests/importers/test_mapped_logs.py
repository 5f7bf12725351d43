"""`import log`: traffic to cases and answers by a map of keys, since a time, sampled by id."""

import json
from pathlib import Path

from tests.support.command import llmeval
from tests.support.tables import each_row


def write(folder: Path, count: int = 40, **more: object) -> Path:
    rows = [
        {
            "trace": f"t{n}",
            "at": f"2026-11-{1 + n % 28:02d}T10:00:00Z",
            "who": f"u{n % 5}",
            "request": {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": f"q{n}"}]},
            "reply": {"text": f"a{n}"},
            **more,
        }
        for n in range(count)
    ]  # fmt: skip
    path = folder / "prod.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


MAP = "request.messages,reply.text,trace,at,who"


def cases(folder: Path, *more: object) -> list[dict[str, object]]:
    done = llmeval("import", "log", "prod.jsonl", "--map", MAP, "--out", "s", *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / "s/data/prod.jsonl").read_text().splitlines()]


def test_messages_answers_and_sessions_become_a_run(tmp_path: Path) -> None:
    write(tmp_path)
    rows = cases(tmp_path)
    assert len(rows) == 40
    assert rows[3]["id"] == "t3" and rows[3]["cluster"] == "u3"
    assert rows[3]["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q3"},
    ]
    answers = (tmp_path / "s/data/prod.answers.jsonl").read_text().splitlines()
    assert json.loads(answers[3])["output"] == "a3"


def test_since_and_sample_select_the_same_lines_again(tmp_path: Path) -> None:
    write(tmp_path, 400)
    first = {row["id"] for row in cases(tmp_path, "--sample", "0.25", "--no-replay")}
    assert 60 <= len(first) <= 140
    (tmp_path / "s").rename(tmp_path / "first")
    (tmp_path / "prod.jsonl").write_text(
        "".join(
            f"{line}\n" for line in reversed((tmp_path / "prod.jsonl").read_text().splitlines())
        )
    )
    more = ("--sample", "0.25", "--since", "2026-11-15", "--no-replay")
    again = {row["id"] for row in cases(tmp_path, *more)}
    assert again == {name for name in first if int(str(name)[1:]) % 28 >= 14}


@each_row(
    ("options", "words"),
    [
        (("--map", "messages"), "at least the first two"),
        (("--map", MAP, "--sample", "0"), "above 0"),
        (("--map", MAP, "--since", "soon"), "must be a date"),
        (("--map", "nothing,reply.text"), "no messages in `nothing`"),
        (("--map", "request.messages,reply.text,none", "--sample", "0.5"), "no `none`"),
        (("--map", "request.messages,reply.text,trace,none", "--since", "2026-01-01"), "no time"),
        (("--map", MAP, "--since", "2027-01-01"), "none of its 40 lines"),
    ],
)
def test_what_can_not_be_read_is_named(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    write(tmp_path)
    done = llmeval("import", "log", "prod.jsonl", "--out", "s", *options, cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert not (tmp_path / "s").exists()


def test_a_line_without_a_reply_is_an_error_and_not_a_failure(tmp_path: Path) -> None:
    write(tmp_path, 5, reply={})
    cases(tmp_path, "--no-replay")
    answer = json.loads((tmp_path / "s/data/prod.answers.jsonl").read_text().splitlines()[0])
    assert answer["output"] is None and "no reply" in answer["error"]
