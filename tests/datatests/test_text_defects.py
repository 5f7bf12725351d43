"""D006, D011a to D011e, D012 and D013: 50 planted defects each, and texts that are right."""

import random
from pathlib import Path

import pytest

from tests.datatests.planting import Row, flagged, of_rule, report, rows, write

PLANTS = 50
_WORDS = "für großer naïve Ångström café déjà niño Łódź façade Öl – “so” ’s".split()


def _blank(row: Row, rng: random.Random) -> Row:
    return {
        **row,
        "reference": rng.choice(
            ["  ", "TBD", "todo", "null", "NaN", "?", "[TODO]", "n/a", "\u00a0", "<placeholder>"]
        ),
    }


def _mojibake(row: Row, rng: random.Random) -> Row:
    wrong = rng.choice(_WORDS[:9]).encode().decode("latin-1")
    typographic = rng.choice(["it’s", "“yes”", "10–12"]).encode().decode("cp1252", "replace")
    text = rng.choice([wrong, typographic, "caf\ufffd", "cafï¿½"])
    return {**row, "question": f"{row['question']} {text}"}


def _hidden(row: Row, rng: random.Random) -> Row:
    mark = rng.choice("\u200b\ufeff\u00ad\u202e\u200d\u200e\u2066")
    return {**row, "reference": f"{row['reference'][:4]}{mark}{row['reference'][4:]}"}


def _spaces(row: Row, rng: random.Random) -> Row:
    return {**row, "reference": row["reference"].replace(" ", "\u00a0")}


def _escape(row: Row, rng: random.Random) -> Row:
    return {
        **row,
        "question": row["question"]
        + rng.choice(
            [" caf\\u00e9", " Black &amp; White", " 5 &lt; 7", " a&#39;b", " &quot;x&quot;"]
        ),
    }


def _null(row: Row, rng: random.Random) -> Row:
    return {
        **row,
        "question": row["question"]
        + rng.choice([" finullcial", " Ferdinulld", " pregnullt", " govenullce", " tenullt"]),
    }


def _secret(row: Row, rng: random.Random) -> Row:
    tail = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ234567") for _ in range(16))
    return {**row, "question": f"{row['question']} {rng.choice(['AKIA'])}{tail}"}


def _personal(row: Row, rng: random.Random) -> Row:
    person = rng.choice(
        ["jo.meier@gmail.com", "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111"]
    )
    return {**row, "question": f"{row['question']} {person}"}


@pytest.mark.parametrize(
    ("rule", "change", "level"),
    [
        ("D006", _blank, "error"), ("D011a", _mojibake, "error"), ("D011b", _hidden, "warn"), ("D011c", _spaces, "info"),
        ("D011d", _escape, "warn"), ("D011e", _null, "warn"), ("D012", _secret, "error"), ("D013", _personal, "warn"),
    ],
)  # fmt: skip
def test_planted(tmp_path: Path, rule: str, change, level: str) -> None:
    """All 50 are reported, with their level, and no other case is."""
    cases, rng = rows(200), random.Random(9)
    planted = set(rng.sample(range(200), PLANTS))
    mixed = [change(case, rng) if number in planted else case for number, case in enumerate(cases)]
    result = report(write(tmp_path, mixed), rule)
    assert flagged(result, rule) == {cases[number]["id"] for number in planted}
    assert {finding.level for finding in of_rule(result, rule)} == {level}
    assert all(
        finding.line and finding.file.endswith("cases.jsonl") and finding.fix
        for finding in result.findings
    )


RIGHT = [
    "Où est l'œuvre de Zoë?", "NÃO é assim, AMANHÃ", "“AMANHÃ”", "Straße 5 °C", "می‌خواهم بدانم", "क्‍षत्रिय कौन थे", "Who is 👩‍👩‍👧?",
    "שלום\u200f עולם", 'Write "\\n" after each line', "What does AT&T mean?", "Is the result null?", "annulled by the nullity of a nullable value",
    "What does NullPointerException mean?", "Explain `&amp;` in <b>HTML</b></b>", "Ω is ohm", "ÂGE", "日本語の文章",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_right_texts(tmp_path: Path, text: str) -> None:
    cases = [{"id": str(n), "question": f"{text} {n}", "reference": text} for n in range(4)]
    result = report(write(tmp_path, cases))
    assert [
        f
        for f in result.findings
        if f.rule in ("D006", "D012", "D013") or f.rule.startswith("D011")
    ] == []


def test_none_and_unknown_are_one_note(tmp_path: Path) -> None:
    cases = [
        {**row, "reference": word}
        for row, word in zip(rows(3), ["None", "unknown", "right"], strict=True)
    ]
    result = report(write(tmp_path, cases), "D006")
    assert [(f.level, len(f.cases)) for f in of_rule(result, "D006")] == [("info", 2)]


def test_a_secret_is_not_part_of_the_finding(tmp_path: Path) -> None:
    case = {**rows(1)[0], "context": "key AKIAQZ7RT2MX5LNB4C6D"}
    findings = of_rule(report(write(tmp_path, [case]), "D012"), "D012")
    assert len(findings) == 1
    assert "QZ7RT2" not in str(findings)
