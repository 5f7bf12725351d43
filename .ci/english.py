"""Reads the English that users meet: the documents, and the texts of commands, errors and public docstrings.

python .ci/english.py            names every place as file:line, the words, and what to write; exit code 1 if there is one
python .ci/english.py --update   takes files that are clean now out of .ci/english-not-clean.txt

Three readers: the word list of docs/style.md, codespell for spelling, and a few rules of Harper. The last two read
documents only: the code holds words of forty languages. Files of the code in english-not-clean.txt may break the word
list. The list may only shrink, and tests/test_english.py holds that.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
STYLE = ROOT / "docs" / "style.md"
NOT_CLEAN = Path(__file__).parent / "english-not-clean.txt"

GENERATED = ("docs/checks.md", "docs/checks/", "docs/commands.md", "docs/suite-reference.md")
"""Made from texts of the code, which are read where they are written."""
FEWEST_WORDS = 4
"""A string of the code with fewer words is a key or a name, not a message."""
HARPER_RULES = (
    "CapitalizePersonalPronouns",
    "CorrectNumberSuffix",
    "DiscourseMarkers",
    "DoubleModal",
    "ItsContraction",
    "ItsPossessive",
    "LetsConfusion",
    "LongSentences",
    "ModalOf",
    "PronounContraction",
    "RepeatedWords",
    "ThenThan",
    "TheyreConfusions",
    "UnclosedQuotes",
)
"""Harper's rules without a false alarm in our 35 documents (2026-11-30: the whole set of 917 raised 1,560 alarms there,
of which 17 were faults). Left out for false alarms: AnA (15 of 15, "an UNTRUSTED judge"), PossessiveNoun (4 of 4),
Spaces (26 of 26, ".95"), SpellCheck (679, names), SentenceCapitalization (326), UseTitleCase (192), OxfordComma (89)."""


@dataclass(frozen=True)
class Remark:
    """One place to change. `words`: as they stand there. `advice`: what to write instead."""

    file: str
    line: int
    words: str
    advice: str

    def __str__(self) -> str:
        return f'{self.file}:{self.line}: "{self.words}": {self.advice}'


@dataclass(frozen=True)
class Entry:
    """One row of the word list: a pattern that we no longer write, and what we write."""

    pattern: re.Pattern[str]
    instead: str


def word_list(page: Path = STYLE) -> list[Entry]:
    """The rows of the table under "Word list" in docs/style.md.

    Raises:
        ValueError: the page has no such table.
    """
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+?) \|$", page.read_text(encoding="utf-8").partition("## Word list")[2], re.M
    )
    if not rows:
        raise ValueError(f"{page}: no word list")
    return [
        Entry(re.compile(rf"(?<![\w-])(?:{words})(?![\w-])".replace("\\|", "|").replace(" ", r"\s+"), re.I), instead)
        for words, instead in rows
    ]


def documents(root: Path = ROOT) -> list[Path]:
    """The pages that people write. docs/style.md is left out: it quotes what it forbids."""
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    names = {path: path.relative_to(root).as_posix() for path in pages}
    return sorted(path for path in pages if path != STYLE and not names[path].startswith(GENERATED))


def prose(text: str) -> str:
    """A Markdown text without code, addresses and comments, line by line as it was."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    text = re.sub(r"^( *)(`{3,}).*?^\1\2 *$", blank, text, flags=re.M | re.S)
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.S)
    text = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", lambda m: "X" + blank(m)[1:], text, flags=re.S)
    return re.sub(r"\]\([^)\s]*\)", lambda m: "]" + blank(m)[1:], text)


def of_words(entries: Iterable[Entry], text: str, file: str, first_line: int = 1) -> Iterator[Remark]:
    """Places of a text that use a row of the word list."""
    for entry in entries:
        for match in entry.pattern.finditer(text):
            line = first_line + text.count("\n", 0, match.start())
            yield Remark(file, line, " ".join(match[0].split()), f"write {entry.instead}")


def of_spelling(pages: dict[str, str]) -> Iterator[Remark]:
    """What codespell reports of texts by file name, read as one text since each start of it takes 0.2 s."""
    places = [(file, line) for file, text in pages.items() for line in range(1, text.count("\n") + 2)]
    command = [sys.executable, "-m", "codespell_lib", "-"]
    result = subprocess.run(command, input="\n".join(pages.values()), capture_output=True, text=True, check=False)
    if result.returncode not in (0, 65) or result.stderr:
        raise RuntimeError(f"codespell failed: {result.stderr}")
    for line, wrong, right in re.findall(r"^(\d+): .*\n\s*(\S+) ==> (.+)$", result.stdout, re.M):
        file, own_line = places[int(line) - 1]
        yield Remark(file, own_line, wrong, f"write {right}")


def of_grammar(pages: dict[str, str]) -> Iterator[Remark]:
    """What Harper's rules report of texts by file name."""
    import harper

    linter = harper.Linter()
    rules = linter.get_default_lint_config()
    linter.set_lint_config({rule: rule in HARPER_RULES for rule in rules})
    for file, text in pages.items():
        for lint in linter.lint(text, language="markdown"):
            words = " ".join(text[lint.span.start : lint.span.end].split())
            shown = words if len(words) <= 60 else f"{words[:57]}..."
            yield Remark(file, 1 + text.count("\n", 0, lint.span.start), shown, lint.message)


def messages(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts of a module that a user may read, each with its first line: public docstrings, and strings of some words."""
    docstrings = {id(text): public for text, public in _docstrings(module)}
    parts = {id(part) for node in ast.walk(module) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(module):
        if id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if docstrings.get(id(node), len(text.split()) >= FEWEST_WORDS):
            yield node.lineno, text


def _docstrings(module: ast.Module) -> Iterator[tuple[ast.expr, bool]]:
    """Each docstring, and whether what it describes is public."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first.value, not getattr(node, "name", "").startswith("_")


def in_documents(entries: list[Entry], root: Path = ROOT) -> list[Remark]:
    """All remarks about the documents."""
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in documents(root)}
    read = {file: prose(text) for file, text in texts.items()}
    remarks = [remark for file, text in read.items() for remark in of_words(entries, text, file)]
    return sorted([*remarks, *of_spelling(read), *of_grammar(read)], key=lambda each: (each.file, each.line))


def in_code(entries: list[Entry], root: Path = ROOT) -> list[Remark]:
    """All remarks about texts of the package, in files that are listed as not clean too."""
    remarks = []
    for path in sorted(root.glob("llmeval/**/*.py")):
        file = path.relative_to(root).as_posix()
        for line, text in messages(ast.parse(path.read_text(encoding="utf-8"))):
            remarks += of_words(entries, re.sub(r"`[^`\n]+`", "X", text), file, line)
    return remarks


def not_clean() -> set[str]:
    """The files of the code that may still break the word list."""
    lines = NOT_CLEAN.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def update() -> int:
    """Takes clean and deleted files out of the list; returns how many it holds now."""
    text = NOT_CLEAN.read_text(encoding="utf-8")
    dirty = {remark.file for remark in in_code(word_list())}
    kept = [line for line in text.splitlines() if not line or line.startswith("#") or line in dirty]
    NOT_CLEAN.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return len(not_clean())


def main() -> int:
    """Prints what is to be changed; 1 if there is anything."""
    if "--update" in sys.argv[1:]:
        print(f"{NOT_CLEAN.name}: {update()} files")
        return 0
    entries, listed = word_list(), not_clean()
    remarks = in_documents(entries) + [remark for remark in in_code(entries) if remark.file not in listed]
    print(*remarks, sep="\n", end="\n" if remarks else "")
    return 1 if remarks else 0


if __name__ == "__main__":
    sys.exit(main())
