"""Checks the English that users read: documents, messages, and public docstrings.

python .ci/english.py            prints file:line, the words, and the replacement; exit code 1
                                 if there is anything to change
python .ci/english.py --files    prints only the files of the code that break the word list

Three readers: the word list of docs/style.md, codespell for spelling, and some rules of Harper. The
last two read documents only, because the code contains words of forty languages.
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

GENERATED = ("docs/checks.md", "docs/checks/", "docs/commands.md", "docs/suite-reference.md")
"""Generated from texts of the code, which are read in the code."""
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
"""Harper's rules without a false alarm in our documents. Measured on 2026-11-30: all 917 rules
raised 1,560 alarms there, of which about 30 were faults. Left out for false alarms: AnA (15 of 15,
"an UNTRUSTED judge"), PossessiveNoun (4 of 4), Spaces (26 of 26, ".95"), SpellCheck (679, names),
SentenceCapitalization (326), UseTitleCase (192), OxfordComma (89)."""


@dataclass(frozen=True)
class Remark:
    """One place to change."""

    file: str
    line: int
    words: str
    """As written."""
    advice: str
    """What to write instead."""

    def __str__(self) -> str:
        return f'{self.file}:{self.line}: "{self.words}": {self.advice}'


@dataclass(frozen=True)
class Entry:
    """One row of the word list: a pattern that we no longer write, and its replacement."""

    pattern: re.Pattern[str]
    instead: str


def word_list(page: Path = STYLE) -> list[Entry]:
    """The rows of the table under "Word list" in docs/style.md.

    Raises:
        ValueError: the page has no such table.
    """
    table = page.read_text(encoding="utf-8").partition("## Word list")[2]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|$", table, re.M)
    if not rows:
        raise ValueError(f"{page}: no word list")
    return [Entry(_pattern(words), instead) for words, instead in rows]


def _pattern(words: str) -> re.Pattern[str]:
    """A cell of the table as a pattern: whole words, in any case, also across the end of a line."""
    written = words.replace("\\|", "|").replace(" ", r"\s+")
    return re.compile(rf"(?<![\w-])(?:{written})(?![\w-])", re.I)


def documents(root: Path = ROOT) -> list[Path]:
    """The pages that people write, except docs/style.md, which quotes what it forbids."""
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    names = {path: path.relative_to(root).as_posix() for path in pages}
    return sorted(path for path in pages if path != STYLE and not names[path].startswith(GENERATED))


def prose(text: str) -> str:
    """A Markdown text without code, addresses and comments, with the same lines."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    text = re.sub(r"^( *)(`{3,}).*?^\1\2 *$", blank, text, flags=re.M | re.S)
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.S)
    code = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.S)
    text = code.sub(lambda match: "X" + blank(match)[1:], text)
    return re.sub(r"\]\([^)\s]*\)", lambda match: "]" + blank(match)[1:], text)


def of_words(
    entries: Iterable[Entry], text: str, file: str, first_line: int = 1
) -> Iterator[Remark]:
    """Places of a text that use a row of the word list."""
    for entry in entries:
        for match in entry.pattern.finditer(text):
            line = first_line + text.count("\n", 0, match.start())
            yield Remark(file, line, " ".join(match[0].split()), f"write {entry.instead}")


def of_spelling(pages: dict[str, str]) -> Iterator[Remark]:
    """What codespell reports about pages by file name.

    It gets all pages as one text, because each of its starts takes 0.2 s.
    """
    counts = {file: text.count("\n") + 1 for file, text in pages.items()}
    places = [(file, line) for file, lines in counts.items() for line in range(1, lines + 1)]
    command = [sys.executable, "-m", "codespell_lib", "-"]
    whole = "\n".join(pages.values())
    result = subprocess.run(command, input=whole, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 65) or result.stderr:
        raise RuntimeError(f"codespell failed: {result.stderr}")
    for number, wrong, right in re.findall(r"^(\d+): .*\n\s*(\S+) ==> (.+)$", result.stdout, re.M):
        file, line = places[int(number) - 1]
        yield Remark(file, line, wrong, f"write {right}")


def of_grammar(pages: dict[str, str]) -> Iterator[Remark]:
    """What Harper's rules report about pages by file name."""
    import harper

    linter = harper.Linter()
    rules = linter.get_default_lint_config()
    linter.set_lint_config({rule: rule in HARPER_RULES for rule in rules})
    for file, text in pages.items():
        for lint in linter.lint(text, language="markdown"):
            words = " ".join(text[lint.span.start : lint.span.end].split())
            shown = words if len(words) <= 60 else f"{words[:57]}..."
            line = 1 + text.count("\n", 0, lint.span.start)
            yield Remark(file, line, shown, lint.message)


def messages(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts that a user may read, each with its first line: public docstrings, longer strings."""
    docstrings = {id(text): public for text, public in _docstrings(module)}
    templates = [node for node in ast.walk(module) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for template in templates for part in template.values}
    for node in ast.walk(module):
        if id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            values = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
            text = "".join(map(str, values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if docstrings.get(id(node), len(text.split()) >= FEWEST_WORDS):
            yield node.lineno, text


def _docstrings(module: ast.Module) -> Iterator[tuple[ast.expr, bool]]:
    """Each docstring, and whether its module, class or function is public."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(module):
        if not isinstance(node, kinds):
            continue
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first.value, not getattr(node, "name", "").startswith("_")


def in_documents(entries: list[Entry], root: Path = ROOT) -> list[Remark]:
    """All remarks about the documents."""
    pages = {
        path.relative_to(root).as_posix(): prose(path.read_text(encoding="utf-8"))
        for path in documents(root)
    }
    remarks = [remark for file, text in pages.items() for remark in of_words(entries, text, file)]
    remarks += [*of_spelling(pages), *of_grammar(pages)]
    return sorted(remarks, key=lambda remark: (remark.file, remark.line))


def in_code(entries: list[Entry], root: Path = ROOT) -> list[Remark]:
    """All remarks about texts of the package."""
    remarks: list[Remark] = []
    for path in sorted(root.glob("llmeval/**/*.py")):
        file = path.relative_to(root).as_posix()
        for line, text in messages(ast.parse(path.read_text(encoding="utf-8"))):
            remarks += of_words(entries, re.sub(r"`[^`\n]+`", "X", text), file, line)
    return remarks


def main() -> int:
    """Prints the remarks. Returns 1 if there are any."""
    entries = word_list()
    remarks = in_code(entries)
    if "--files" in sys.argv[1:]:
        print(*sorted({remark.file for remark in remarks}), sep="\n")
        return 0
    remarks = in_documents(entries) + remarks
    print(*remarks, sep="\n", end="\n" if remarks else "")
    return 1 if remarks else 0


if __name__ == "__main__":
    sys.exit(main())
