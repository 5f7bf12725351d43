"""D001, D002a, D002b and D003: planted duplicates, siblings and conflicts."""

import json
import random
from pathlib import Path

import pytest

from llmeval.datatests.clusters import write_cluster_proposals
from llmeval.datatests.duplicates import agree, content
from llmeval.datatests.similarity import Groups, SimilarPairs, similarity, trigrams
from tests.datatests.planting import Row, flagged, of_rule, report, rows, word, write

PLANTS = 50


def _planted(tmp_path: Path, change, n: int = 400) -> tuple[Path, set[str]]:
    """A suite with 50 changed copies of different cases, and the ids of the copies."""
    cases, rng = rows(n), random.Random(5)
    copies = []
    for number in range(PLANTS):
        copy = change({**cases[number], "id": f"copy{number}"}, rng)
        copies.append(copy)
    mixed = [*cases, *copies]
    rng.shuffle(mixed)
    return write(tmp_path, mixed), {copy["id"] for copy in copies}


def _spacing(row: Row, rng: random.Random) -> Row:
    question = row["question"]
    return {
        **row,
        "question": rng.choice(
            [
                question.upper(),
                f" {question}  ",
                question.replace(" ", "  "),
                question.replace("W", "Ｗ"),
            ]
        ),
    }


def _typo(row: Row, rng: random.Random) -> Row:
    words = row["question"].split()
    place = rng.randrange(1, len(words))
    words[place] = (
        words[place][:-1] + rng.choice("qwj") if rng.random() < 0.5 else f"{words[place]}s"
    )
    return {**row, "question": " ".join(words)}


def _added(row: Row, rng: random.Random) -> Row:
    return {
        **row,
        "question": f"{row['question'][:-1]} now?",
        "reference": f"the {row['reference']}",
    }


def _sibling(row: Row, rng: random.Random) -> Row:
    words = row["question"].split()
    words[-1] = f"{words[-1][:3]}{rng.choice(['ko', 'na'])}?"
    return {**row, "question": " ".join(words), "reference": word(rng, 4)}


def _conflict(row: Row, rng: random.Random) -> Row:
    return {**row, "question": row["question"].replace("?", "").lower(), "reference": word(rng, 4)}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("D001", _spacing),
        ("D002a", _typo),
        ("D002a", _added),
        ("D002b", _sibling),
        ("D003", _conflict),
    ],
)
def test_planted(tmp_path: Path, rule: str, change) -> None:
    """All 50 copies are reported, and no case without a copy is."""
    path, copies = _planted(tmp_path, change)
    result = report(path)
    assert copies <= flagged(result, rule)
    reported = {
        case for f in result.findings for case in f.cases if f.rule[:4] in ("D001", "D002", "D003")
    }
    originals = {f"c{number:05d}" for number in range(PLANTS)}
    assert reported <= copies | originals


def test_a_suite_without_duplicates(tmp_path: Path) -> None:
    assert [f.rule for f in report(write(tmp_path, rows(500))).findings if f.rule < "D004"] == []


def test_a_question_on_another_text_is_no_duplicate(tmp_path: Path) -> None:
    cases = [
        {"id": f"q{n}", "question": "What is the total?", "context": f"The total is {n}.", "reference": f"{n} euros"}
        for n in range(20)
    ]  # fmt: skip
    path = write(tmp_path, cases, prompt="{{ context }} {{ question }}")
    assert not [f for f in report(path).findings if f.rule < "D004"]


def test_same_prompt_with_two_references_is_both(tmp_path: Path) -> None:
    cases = [
        {"id": "a", "question": "Who won?", "reference": "Mira"},
        {"id": "b", "question": "who won?", "reference": "Otto"},
    ]
    result = report(write(tmp_path, cases))
    assert flagged(result, "D001") == flagged(result, "D003") == {"a", "b"}
    assert result.failed
    first = of_rule(result, "D001")[0]
    assert first.file.endswith("cases.jsonl") and first.line == 1 and len(first.case_digests) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("when was the first lamp sold", "who sold the first lamp"),
        ("what is 12 + 4", "what is 12 * 4"),
        ("what is 12 - 4", "what is 4 - 12"),
        ("is oslo larger than rome", "is rome larger than oslo"),
        ("is it safe", "is it not safe"),
    ],
)
def test_other_questions_with_the_same_words(first: str, second: str) -> None:
    assert content(first) != content(second)


def test_yes_is_not_an_agreeing_reference(tmp_path: Path) -> None:
    cases = [
        {
            "id": str(n),
            "question": f"Is the number {n} an even number of the list?",
            "reference": "yes",
        }
        for n in range(0, 40, 2)
    ]
    result = report(write(tmp_path, cases))
    assert of_rule(result, "D002a") == []
    assert len(flagged(result, "D002b")) == 20


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["paris"], ["paris, france"], True),
        (["5"], ["5 million"], False),
        (["ann"], ["anna"], False),
        (["1969"], ["july 1969", "1969"], True),
    ],
)
def test_agreement(first, second, expected) -> None:
    assert agree(first, second) is expected


def test_scripts_without_spaces(tmp_path: Path) -> None:
    cases = [
        {"id": "a", "question": "日本で一番高い山は何という名前ですか", "reference": "富士山"},
        {"id": "b", "question": "日本で一番高い山は何という名前ですか?", "reference": "富士山"},
        {"id": "c", "question": "世界で最も長い川はどこにありますか", "reference": "アフリカ"},
    ]
    assert flagged(report(write(tmp_path, cases)), "D002a") == {"a", "b"}


def test_similarity_is_symmetric() -> None:
    it, them = trigrams("who sold it"), trigrams("who sold them")
    assert similarity(it, them) == similarity(them, it) == 8 / 16
    assert similarity(it, it) == 1


def test_many_variants_with_few_labels_are_one_group_in_bounded_time() -> None:
    texts = [f"is parcel {n} of the long list of parcels late" for n in range(400)]
    labels = ["yes" if n % 3 else "no" for n in range(400)]
    pairs = list(SimilarPairs(texts, labels))
    groups = Groups()
    for first, second, _ in pairs:
        groups.join(first, second)
    assert len(groups.groups()) == 1
    assert len(pairs) <= 400 * 40  # at most 20 similar ones of any label and 20 of its own


def test_clusters_are_proposed_and_end_the_finding(tmp_path: Path) -> None:
    cases = [{"id": f"n{n}", "question": f"Where does the last name {name} come from?", "reference": place}
             for n, (name, place) in enumerate([("Keller", "Berne"), ("Silva", "Porto"), ("Moreau", "Lille")])]  # fmt: skip
    result = report(write(tmp_path, cases))
    assert flagged(result, "D002b") == {"n0", "n1", "n2"}
    assert write_cluster_proposals(tmp_path / "clusters.jsonl", [result]) == 3
    lines = (tmp_path / "clusters.jsonl").read_text().splitlines()
    clusters = {row["id"]: row["cluster"] for row in map(json.loads, lines)}
    assert len(set(clusters.values())) == 1
    after = [{**case, "cluster": clusters[case["id"]]} for case in cases]
    assert of_rule(report(write(tmp_path / "after", after)), "D002b") == []
