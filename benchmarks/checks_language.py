"""How often the check `language` recognises the language of short texts: sentences of XQuAD, and sentences with foreign names.

    python benchmarks/checks_language.py [--data ../shared/data] [--seed 5]

"wrong" is another language than the text's, "not sure" a text that the check does not decide. What is not there is
reported as "not measured".
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from llmeval.checks.builtin.text.language import identify, known, matches
from llmeval.checks.reading.text import count_words, sentences

NAMES = {
    "is": ["Björk Guðmundsdóttir", "Reykjavík", "Þórarinn Eldjárn", "Sigurður Þórðarson"],
    "es": [
        "Gabriel García Márquez",
        "Buenos Aires",
        "Los Ángeles",
        "José María Aznar",
        "Las Meninas",
    ],
    "fr": [
        "Académie française",
        "Champs-Élysées",
        "François Mitterrand",
        "Le Monde",
        "Notre-Dame de Paris",
    ],
    "pl": ["Łódź", "Kraków", "Lech Wałęsa", "Wisława Szymborska"],
    "cs": ["Antonín Dvořák", "Václav Havel", "Plzeň"],
    "de": ["Johann Wolfgang von Goethe", "Frankfurt am Main", "Süddeutsche Zeitung", "Die Zeit"],
    "en": ["The Great Gatsby", "Rage Against the Machine", "New York Times", "Lord of the Rings"],
    "hu": ["Erdős Pál", "Széchenyi István"],
    "tr": ["Recep Tayyip Erdoğan", "İstanbul", "Orhan Pamuk"],
    "vi": ["Hồ Chí Minh", "Nguyễn Văn Thiệu"],
    "it": ["La Gazzetta dello Sport", "Dante Alighieri", "Città del Vaticano"],
    "pt": ["São Paulo", "João Guimarães Rosa"],
    "ro": ["București", "Mihai Eminescu"],
    "fi": ["Jyväskylä", "Tarja Halonen"],
}
FRAMES = {
    "en": [
        "{} was born in {}.",
        "{} wrote it.",
        "The {} is in {}.",
        "The capital is {}.",
        "I think it is {}.",
    ],
    "de": [
        "{} wurde in {} geboren.",
        "{} hat es geschrieben.",
        "Das ist {} in {}.",
        "Es war {}, nicht {}.",
    ],
    "fr": [
        "{} est né à {}.",
        "C'est {} qui l'a écrit.",
        "La capitale est {}.",
        "{} se trouve à {}.",
    ],
    "es": ["{} nació en {}.", "Lo escribió {}.", "La capital es {}.", "{} está en {}."],
    "it": ["{} è nato a {}.", "Lo ha scritto {}.", "La capitale è {}."],
    "nl": ["{} is geboren in {}.", "Het is geschreven door {}."],
    "pt": ["{} nasceu em {}.", "Foi escrito por {}."],
}
Texts = list[tuple[str, str]]


def around_names(rng: random.Random) -> Texts:
    """(language, sentence): frames of one language filled with names of another, three of each."""
    return [
        (language, frame.format(*(rng.choice(names) for _ in range(frame.count("{}")))))
        for language, frames in FRAMES.items()
        for frame in frames
        for other, names in NAMES.items()
        if other != language
        for _ in range(3)
    ]


def short_sentences(file: Path, rng: random.Random) -> Texts:
    """3,000 sentences of 4 to 14 words."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    found = [
        (row["lang"], piece.text)
        for row in rows
        for piece in sentences(row["text"])
        if 4 <= count_words(piece.text) <= 14
    ]
    rng.shuffle(found)
    return found[:3000]


def report(name: str, texts: Texts) -> None:
    """Shares of right, not sure and wrong, with the language expected and without."""
    for expected in (True, False):
        counts: Counter[str] = Counter()
        for language, text in texts:
            guess = identify(text, (known(language),) if expected else ())
            right = guess is not None and matches(guess, known(language))
            unsure = guess is None or (guess.unsure and not right)
            counts["right" if right else "not sure" if unsure else "wrong"] += 1
        shares = ", ".join(
            f"{what} {100 * n / len(texts):.1f} %" for what, n in sorted(counts.items())
        )
        print(
            f"{name}, {len(texts)}, language {'expected' if expected else 'not expected'}: {shares}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    file = options.data / "xquad" / "paragraphs_12lang.jsonl"
    if file.exists():
        report("short sentences of XQuAD", short_sentences(file, rng))
    else:
        print("short sentences of XQuAD: not measured")
    report("sentences around foreign names", around_names(rng))


if __name__ == "__main__":
    main()
