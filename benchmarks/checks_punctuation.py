"""How much of planted mechanical errors the punctuation check finds, how often it flags clean text, how fast it is.

    python benchmarks/checks_punctuation.py [--data ../shared/data] [--half dev|held|all] [--flags] [--json]

Clean text: XQuAD paragraphs (professional translations, 12 languages), UD English EWT sentences, and, where a language
has no paragraphs there (fr, ja), the prose of M-IFEval answers by the strongest model. One error of one kind is planted
at a time, at a seeded random place; it counts as found when the text gets a finding it did not have before, and as
located when one stands within 3 characters of it. Halves are drawn by a hash of the paragraph's id: the rules were
worked on with `dev` only. What is not there is reported as "not measured".
"""

import argparse
import hashlib
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.checks.punctuation.findings import find
from llmeval.checks.punctuation.harper import installed
from llmeval.checks.punctuation.rules import RULES, Violation

Plant = Callable[[str, random.Random], "tuple[str, int] | None"]
"""Plants one error: the new text and its place, or None when the text offers no place for it."""
PAIRED = ("delete quote", "delete bracket")
PER_TEXT = 3
"""Errors of a kind planted in one text, one at a time, at different places."""


class Text(NamedTuple):
    id: str
    lang: str
    text: str


def edit(pattern: str, replace: Callable[[re.Match[str]], str], at: str = "start") -> Plant:
    """One random match of `pattern` replaced."""
    compiled = re.compile(pattern)

    def plant(text: str, rng: random.Random) -> tuple[str, int] | None:
        found = list(compiled.finditer(text))
        if not found:
            return None
        match = rng.choice(found)
        return text[: match.start()] + replace(match) + text[match.end() :], match.start()

    return plant


def _drop(match: re.Match[str]) -> str:
    return ""


LETTER = r"[^\W\d_]"
END = r"[.!?。！？।]"
STRONG = {"fr": ("gpt-4o-2024",), "ja": ("gpt-4o", "claude")}
"""Whose answers count as clean text."""
WIDTH = dict(zip("，。；：？！（）", ",.;:?!()", strict=True))
COMMON: dict[str, Plant] = {
    "delete terminal": edit(rf"{END}(?=[\"”“»」)]*\s*\Z)", _drop),
    "delete quote": edit(r"[\"“”„«»「」『』]", _drop),
    "delete bracket": edit(r"[()（）\[\]]", _drop),
    "double mark": edit(
        r"(?<=\w)[,;:.!?，。；：！？、،।](?=\s|\Z|[\u3040-\u9fff])", lambda m: m[0] * 2
    ),
    # After short words a dot may be an abbreviation's, and `.,` right.
    "clashing marks": edit(
        r"(?<=\w{4})[,;:.](?=\s|\Z)", lambda m: {",": ",.", ";": ";,", ":": ":,", ".": ".,"}[m[0]]
    ),
    "space before mark": edit(r"(?<=[^\W_])[,;.:?!](?=\s|\Z)", lambda m: " " + m[0]),
    "double space": edit(rf"(?<={LETTER}) (?={LETTER})", lambda m: "  "),
    "space in bracket": edit(r"\((?=\w)", lambda m: "( "),
    "missing space after": edit(rf"(?<={LETTER}{{2}}[,;:.?!]) (?={LETTER})", _drop),
    "lowercase start": edit(
        rf"(?:\A|(?<={LETTER}{{4}}[.!?] ))(?=[^\W\d_][\w'’]*\s)(\w)", lambda m: m[0].lower()
    ),
    "comma at the end": edit(rf"{END}(?=\s*\Z)", lambda m: ","),
}
CJK: dict[str, Plant] = {
    "wrong-width mark": edit(r"(?<=[\u3040-\u9fff])[，。；：？！（）]", lambda m: WIDTH[m[0]]),
    "space before mark": edit(r"(?<=[\u3040-\u9fff])[，。；：？！、]", lambda m: " " + m[0]),
    "clashing marks": edit(r"[，、；](?=[\u3040-\u9fff])", lambda m: m[0] + "。"),
}
_NOT_CJK = (
    "missing space after",
    "lowercase start",
    "double space",
    "space in bracket",
    "comma at the end",
)
BY_LANGUAGE: dict[str, dict[str, Plant]] = {
    "en": {
        "lone i": edit(r"\bI\b(?= [a-z]{3,}|')", lambda m: "i"),
        "missing apostrophe": edit(
            r"(?<=n)'(?=t\b)|(?<=\b[Ii]t)'(?=ll\b)|(?<=\b[Tt]hey)'(?=re\b)", _drop
        ),
    },
    "de": {
        "wrong closing quote": edit("“(?=[ ,.;:)])", lambda m: "”"),
        "straight closing quote": edit("“(?=[ ,.;:)])", lambda m: '"'),
    },
    "fr": {
        "missing space before": edit(r"(?<=\w)[ \u00a0\u202f](?=[;:!?])", _drop),
        "missing space in « »": edit(r"(?<=«)[ \u00a0\u202f]|[ \u00a0\u202f](?=»)", _drop),
        "missing apostrophe": edit(
            r"(?<=\b[Cc])'(?=est\b)|(?<=\b[Qq]u)'(?=ils?\b|on\b|un\b)|(?<=\b[Dd])'(?=un\b)", _drop
        ),
    },
    "es": {"missing ¿ ¡": edit("[¿¡]", _drop)},
}


def kinds(lang: str) -> dict[str, Plant]:
    """The errors that can be planted in a language."""
    if lang in ("zh", "ja"):
        return {kind: plant for kind, plant in (COMMON | CJK).items() if kind not in _NOT_CJK}
    common = dict(COMMON)
    if lang == "fr":
        common["space before mark"] = edit(r"(?<=[^\W_])[,.](?=\s|\Z)", lambda m: " " + m[0])
        common["double mark"] = edit(r"(?<=\w)[,.](?=\s|\Z)", lambda m: m[0] * 2)
    if lang in ("ar", "hi", "th"):
        common.pop("lowercase start")
    if lang == "th":
        common = {
            kind: plant
            for kind, plant in common.items()
            if kind not in ("delete terminal", "double space")
        }
    return common | BY_LANGUAGE.get(lang, {})


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def in_half(key: str, half: str) -> bool:
    """Whether a text belongs to the half, by a hash of its key."""
    return half == "all" or hashlib.sha256(key.encode()).digest()[0] % 2 == (half == "held")


def paragraphs(data: Path, half: str) -> list[Text]:
    """XQuAD paragraphs, and the prose of answers for fr and ja."""
    found = []
    xquad, answers = data / "xquad/paragraphs_12lang.jsonl", data / "m_ifeval/responses.jsonl"
    if xquad.exists():
        found += [
            Text(r["id"], r["lang"], r["text"])
            for r in rows(xquad)
            if in_half(r["paragraph_id"], half)
        ]
    if answers.exists():
        for r in rows(answers):
            if (
                r["lang"] in ("fr", "ja")
                and r["model"].startswith(STRONG[r["lang"]])
                and in_half(r["prompt_id"], half)
            ):
                name = f"{r['prompt_id']}-{r['model'][:12]}"
                found += [
                    Text(f"{name}-{i}", r["lang"], p) for i, p in enumerate(prose(r["response"]))
                ]
    return found


def prose(answer: str) -> Iterator[str]:
    """The paragraphs of an answer that are plain running text: no markup, some length, a stop at the end."""
    for part in map(str.strip, answer.split("\n\n")):
        short = len(part) <= (30 if part[-1:] == "。" else 60)
        marked = "\n" in part or re.match(r"[#>*\-|\d`(\[<\"]", part)
        one_case = part in (part.lower(), part.upper()) and part[-1:] != "。"
        if not (short or marked or one_case) and re.search(r"[.。!?]\Z", part):
            yield part


def sentences_of(text: str) -> list[str]:
    return [
        s
        for s in re.split(
            r"(?<=[^\W\d_]{3}[.!?])\s+(?=[A-ZÄÖÜÁÉÍÓÚÑÀÈÇ])|(?<=[。！？])\s*|(?<=।)\s*", text
        )
        if s.strip()
    ]


def fresh(clean: list[Violation], planted: list[Violation], at: int) -> tuple[bool, bool]:
    """Whether the planted text has an error more of some rule, and whether a new one stands near `at`."""
    before = Counter(f.rule for f in clean if RULES[f.rule].severity == "error")
    after = [f for f in planted if RULES[f.rule].severity == "error"]
    grown = {rule for rule, n in Counter(f.rule for f in after).items() if n > before[rule]}
    near = any(f.rule in grown and f.start - 3 <= at <= f.end + 3 for f in after)
    return bool(grown), near


def recall(
    texts: list[Text], *, per_text: int, harper: bool
) -> dict[str, dict[str, dict[str, int]]]:
    """Planted, found and located errors by language and kind."""
    table: dict[str, dict[str, dict[str, int]]] = defaultdict(
        lambda: defaultdict(lambda: {"n": 0, "found": 0, "located": 0})
    )
    for item in texts:
        clean = find(item.text, harper=harper)
        mismatched = any(f.rule in ("unbalanced", "quote-style") for f in clean)
        for kind, plant in kinds(item.lang).items():
            if mismatched and kind in PAIRED:
                continue  # deleting the half that has no other repairs the text
            rng = random.Random(f"{item.id} {kind}")
            seen = set()
            for _ in range(per_text):
                planted = plant(item.text, rng)
                if planted is None or planted[1] in seen:
                    continue
                seen.add(planted[1])
                got, near = fresh(clean, find(planted[0], harper=harper), planted[1])
                cell = table[item.lang][kind]
                cell["n"] += 1
                cell["found"] += got
                cell["located"] += near
                if not got and MISSED is not None:
                    MISSED.append(
                        (item.id, kind, planted[0][max(0, planted[1] - 40) : planted[1] + 40])
                    )
    return table


MISSED: list[tuple[str, str, str]] | None = None


def flags(texts: list[Text], *, harper: bool = False) -> dict[str, dict[str, Any]]:
    """Errors flagged in clean text, per 1,000 sentences, by language."""
    table: dict[str, dict[str, Any]] = {}
    for item in texts:
        cell = table.setdefault(
            item.lang, {"texts": 0, "sentences": 0, "flags": 0, "rules": Counter(), "shown": []}
        )
        found = [f for f in find(item.text, harper=harper) if RULES[f.rule].severity == "error"]
        cell["texts"] += 1
        cell["sentences"] += len(sentences_of(item.text))
        cell["flags"] += len(found)
        cell["rules"].update(f.rule for f in found)
        for f in found:
            shown = (
                item.text[max(0, f.start - 30) : f.start] + "[" + item.text[f.start : f.end] + "]"
            )
            cell["shown"].append(
                f"{item.id} {f.rule}: {shown}{item.text[f.end : f.end + 25]}".replace("\n", "⏎")
            )
    for cell in table.values():
        cell["per_1000"] = round(1000 * cell["flags"] / max(1, cell["sentences"]), 1)
    return table


def typos(data: Path, half: str) -> dict[str, Any] | None:
    """EWT: flags on sentences without annotated errors, and how many annotated spacing errors and lost apostrophes
    (the mechanical part of its annotation) are found."""
    path = data / "ud_english_ewt/sentences.jsonl"
    if not path.exists():
        return None
    clean = flagged = marked = hit = 0
    rules: Counter[str] = Counter()
    for row in rows(path):
        if not in_half(row["doc_id"], half):
            continue
        found = [f for f in find(row["text"], "en") if RULES[f.rule].severity == "error"]
        if not row["errors"]:
            clean += 1
            flagged += bool(found)
            rules.update(f.rule for f in found)
        for error in row["errors"]:
            form, fixed = error["form"], error["correct_form"] or ""
            lost = (
                "'" in fixed.replace("’", "'") and fixed.replace("’", "'").replace("'", "") == form
            )
            if "space" in error["kinds"] or lost:
                start, end = error["char_start"], error["char_start"] + len(form)
                marked += 1
                hit += any(f.start - 1 <= end and f.end + 1 >= start for f in found)
    return {"clean": clean, "flagged": flagged, "per_1000": round(1000 * flagged / clean, 1), "rules": dict(rules.most_common()), "mechanical": marked, "found": hit}  # fmt: skip


def speed(texts: list[Text], *, harper: bool = False) -> dict[str, int]:
    """Characters a second on one core, by language, on 200,000 characters of paragraphs; CPU time."""
    by_lang: dict[str, list[str]] = defaultdict(list)
    for item in texts:
        by_lang[item.lang].append(item.text)
    found = {}
    for lang, parts in by_lang.items():
        text = "\n\n".join(parts)
        text = (text + "\n\n") * max(1, 200_000 // len(text))
        start = time.process_time()
        find(text, lang if harper else None, harper=harper)
        found[lang] = round(len(text) / (time.process_time() - start))
    return found


def main() -> None:
    global MISSED
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--half", choices=["dev", "held", "all"], default="all")
    parser.add_argument("--lang", default="", help="only these languages, as en,de")
    parser.add_argument(
        "--flags",
        action="store_true",
        help="print what is flagged in clean text and what is missed",
    )
    parser.add_argument("--harper", action="store_true", help="with Harper as well (English)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.harper and not installed():
        sys.exit("--harper needs harper-py")
    texts = paragraphs(options.data, options.half)
    if options.lang:
        texts = [item for item in texts if item.lang in options.lang.split(",")]
    if not texts:
        print("not measured: no data under", options.data)
        return
    MISSED = [] if options.flags else None
    alone = [
        Text(f"{t.id}/{i}", t.lang, s)
        for t in texts
        for i, s in enumerate(sentences_of(t.text))
        if len(s) > 25
    ]
    report = {
        "half": options.half,
        "clean": flags(texts, harper=options.harper),
        "recall": recall(texts, per_text=PER_TEXT, harper=options.harper),
        "terminal_of_single_sentences": single(alone, options.harper),
        "ewt": typos(options.data, options.half),
        "chars_per_second": speed(texts, harper=options.harper),
    }
    print(json.dumps(report, ensure_ascii=False, indent=1) if options.json else shown(report))
    for id_, kind, context in MISSED or ():
        print("missed", id_, kind, repr(context))
    if options.flags:
        for cell in report["clean"].values():
            print(*cell["shown"], sep="\n")


def single(texts: list[Text], harper: bool) -> dict[str, dict[str, int]]:
    """Sentences taken alone, as short answers stand: the terminal mark deleted."""
    table: dict[str, dict[str, int]] = {}
    for item in texts:
        planted = COMMON["delete terminal"](item.text, random.Random(0))
        if planted and item.lang != "th":
            cell = table.setdefault(item.lang, {"n": 0, "found": 0})
            got, _ = fresh(find(item.text), find(planted[0]), planted[1])
            cell["n"] += 1
            cell["found"] += got
            if not got and MISSED is not None:
                MISSED.append((item.id, "single terminal", planted[0]))
    return table


def shown(report: dict[str, Any]) -> str:
    """The report as plain text."""
    lines = [f"half: {report['half']}", "", "clean text: flags per 1,000 sentences"]
    for lang, cell in report["clean"].items():
        lines.append(
            f"  {lang}  {cell['per_1000']:6}  ({cell['flags']} in {cell['sentences']}; {dict(cell['rules'])})"
        )
    lines += ["", "planted errors found (located within 3 characters)"]
    for lang, table in report["recall"].items():
        n, got = sum(c["n"] for c in table.values()), sum(c["found"] for c in table.values())
        lines.append(f"  {lang}  all kinds {100 * got / n:.2f} % of {n}")
        for kind, c in table.items():
            lines.append(
                f"      {kind:24} {100 * c['found'] / c['n']:6.2f} %  ({100 * c['located'] / c['n']:5.1f} %) of {c['n']}"
            )
    lines += ["", "terminal mark deleted from a sentence that stands alone"]
    for lang, c in report["terminal_of_single_sentences"].items():
        lines.append(f"  {lang}  {100 * c['found'] / c['n']:.1f} % of {c['n']}")
    lines += ["", f"UD English EWT: {report['ewt'] or 'not measured'}"]
    lines += ["", f"characters/s, one core: {report['chars_per_second']}"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
