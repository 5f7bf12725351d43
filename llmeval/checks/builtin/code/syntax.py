"""Checks of code: does it parse, and what is in it? Nothing is ever run."""

import ast
import importlib
import time
import warnings
from typing import Any, Literal

from llmeval.checks.arguments import clip
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.reading.payload import (
    Malformed,
    Payload,
    body,
    fenced_blocks,
    malformed_fails,
    offset_of,
    read,
    too_long,
)
from llmeval.core.errors import CheckError, install_hint
from llmeval.core.records import Answer, Case

MAX_CODE = 100_000
SECONDS = 1.0
_PYTHON = frozenset(["python", "python3", "py", "py3"])
# The grammars that the extra brings (the larger packs of grammars fetch them while running), and
# what fences call them
_GRAMMARS: dict[str, tuple[str, str, frozenset[str]]] = {
    "bash": ("tree_sitter_bash", "language", frozenset(["bash", "sh", "shell"])),
    "c": ("tree_sitter_c", "language", frozenset(["c", "h"])),
    "cpp": ("tree_sitter_cpp", "language", frozenset(["cpp", "c++", "cc", "hpp"])),
    "go": ("tree_sitter_go", "language", frozenset(["go", "golang"])),
    "java": ("tree_sitter_java", "language", frozenset(["java"])),
    "javascript": (
        "tree_sitter_javascript",
        "language",
        frozenset(["javascript", "js", "jsx", "mjs", "node"]),
    ),
    "rust": ("tree_sitter_rust", "language", frozenset(["rust", "rs"])),
    "typescript": (
        "tree_sitter_typescript",
        "language_typescript",
        frozenset(["typescript", "ts"]),
    ),
}
Language = Literal["python", "bash", "c", "cpp", "go", "java", "javascript", "rust", "typescript"]


def sources(text: str, names: frozenset[str], what: str, limit: int = MAX_CODE) -> list[Payload]:
    """The code of an answer: its fenced blocks in the language, else those in none, else all of it.

    Raises:
        Malformed: it has fenced blocks, but all of them in other languages; or nothing is there.
        CheckError: the answer is longer than `limit`.
    """
    too_long(text, limit, what)
    blocks = fenced_blocks(text)
    chosen = [block for block in blocks if block.language in names] or [
        b for b in blocks if not b.language
    ]
    if blocks and not chosen:
        others = ", ".join(dict.fromkeys(str(block.language) for block in blocks))
        raise Malformed(f"has no code block in {what}, only in {others[:100]}")
    chosen = [block for block in chosen or [body(text, "allow", what)] if block.text.strip()]
    if not chosen:
        raise Malformed(f"has no {what}")
    return chosen


@check(group="code", version=2)
@malformed_fails
def python_code(
    case: Case,
    answer: Answer,
    *,
    defines: list[str] = [],  # noqa: B006
    calls: list[str] = [],  # noqa: B006
    imports_only: list[str] | None = None,
) -> Result:
    """The answer's Python (each of its fenced blocks, or all of it) parses, defines these functions
    or classes, `calls` these (`f`, `math.sqrt`), and imports no modules but `imports_only`. It is
    never run."""
    trees = [read(part, parse_python) for part in sources(answer.text, _PYTHON, "Python")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    if not any(tree.body for tree in trees):
        return verdict(False, "has no Python statement")
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    valid = {node.name for node in nodes if isinstance(node, kinds)}
    called = {_dotted(node.func) for node in nodes if isinstance(node, ast.Call)}
    missing = [f"define {name}" for name in defines if name not in valid]
    missing += [
        f"call {name}"
        for name in calls
        if not any(f".{one}".endswith(f".{name}") for one in called)
    ]
    if missing:
        return verdict(False, f"does not {', '.join(missing)}")
    other = sorted(_imported(nodes) - set(imports_only)) if imports_only is not None else []
    return verdict(not other, f"imports {clip(other[0])}" if other else "parses as Python")


def parse_python(text: str) -> ast.Module:
    """The syntax tree of a module.

    Raises:
        Malformed: it is not Python of this interpreter's version, or nested too deeply for it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # "\d" in the answer's code is no concern of this program's
            return ast.parse(text)
    except SyntaxError as error:
        line = error.lineno or 1
        at = offset_of(text, line, error.offset or 1)
        raise Malformed(f"not valid Python: {error.msg} (line {line})", at) from None
    except (ValueError, RecursionError, MemoryError) as error:
        why = error if isinstance(error, ValueError) else "nested too deeply"
        raise Malformed(f"not valid Python: {why}") from None


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "?")
    return ".".join(reversed(parts))


def _imported(nodes: list[ast.AST]) -> set[str]:
    """The top-level modules that are imported; `.` for relative imports."""
    match = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            match |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            match.add("." if node.level else (node.module or "").partition(".")[0])
    return match


@check(group="code")
@malformed_fails
def code(case: Case, answer: Answer, *, language: Language) -> Result:
    """The answer's code (each of its fenced blocks in `language`, or all of it) parses. It is never
    run.

    Languages other than Python need tree-sitter and its grammars: `pip install 'llmeval-ci[code]'`.
    """
    if language == "python":
        for part in sources(answer.text, _PYTHON, "Python"):
            read(part, parse_python)
        return verdict(True, "parses as Python")
    parser = _grammar(language)
    for part in sources(answer.text, _GRAMMARS[language][2], language):
        at = _first_error(parser, part.text)
        if at is not None:
            what = f"not valid {language}: it does not parse here"
            return verdict(False, what, part.span(at, min(at + 1, len(part.text)), what, "code"))
    return verdict(True, f"parses as {language}")


def _grammar(language: str) -> object:
    module, function, _ = _GRAMMARS[language]
    try:
        import tree_sitter

        grammar = getattr(importlib.import_module(module), function)()
    except ImportError:
        raise CheckError(
            f"the grammar of {language} is not installed: {install_hint('code')}"
        ) from None
    return tree_sitter.Parser(tree_sitter.Language(grammar))


def _first_error(parser: Any, text: str) -> int | None:
    """Where the first thing that does not parse stands, in code points; None when all does.

    Raises:
        CheckError: parsing took too long.
    """
    data = text.encode("utf-8", "replace")
    until = time.thread_time() + SECONDS
    try:
        tree = parser.parse(
            lambda offset, point: data[offset : offset + 65_536],
            progress_callback=lambda offset, has_error: time.thread_time() > until,
        )
    except ValueError:
        raise CheckError(f"the answer's code took longer than {SECONDS:g} s to parse") from None
    node = tree.root_node
    if not node.has_error:
        return None
    while True:
        inner = next(
            (
                child
                for child in node.children
                if child.has_error or child.is_error or child.is_missing
            ),
            None,
        )
        if inner is None or node.is_error:
            return len(data[: node.start_byte].decode("utf-8", "ignore"))
        node = inner
