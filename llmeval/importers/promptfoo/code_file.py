"""The Python file of an imported suite: promptfoo's Python as it is, and functions to fill in.

An import runs none of it. A function to fill in raises `NotImplementedError`, so its check or its
answer is an error of the run, never a pass.
"""

import ast
import keyword
import os
import re
import textwrap
from pathlib import Path

from llmeval.importers.promptfoo.files import referenced

_RUNTIME = "llmeval.importers.promptfoo.python_calls"
_CONTEXT_PARTS = frozenset(["vars"])


class CodeFile:
    """The functions of one configuration.

    Args:
        base: the configuration's folder.
        out: the folder of the suites, in which the file stands.
        name: the suite's name.
    """

    def __init__(self, base: Path, out: Path, name: str) -> None:
        self._base, self._out = base, out
        self.module = re.sub(r"\W", "_", name) + "_code"
        self._functions: dict[str, str] = {}

    @property
    def path(self) -> Path:
        """Where the file stands."""
        return self._out / f"{self.module}.py"

    @property
    def text(self) -> str:
        """The file; empty if no function is needed."""
        if not self._functions:
            return ""
        body = "\n\n".join(self._functions.values())
        names = [
            name
            for name in ("call_provider", "judged", "run_file", "similarity")
            if f"{name}(" in body
        ]
        imports = f"from {_RUNTIME} import {', '.join(names)}\n\n\n" if names else "\n"
        head = (
            '"""Code of an imported promptfoo configuration. A function that raises'
            ' `NotImplementedError` is\nto be filled in.\n"""\n\n'
        )
        return head + imports + body

    def inline(self, source: str, threshold: float | None) -> str | None:
        """The check of a Python assertion in the configuration; None if it reads more of
        promptfoo than the answer and the variables.
        """
        source = textwrap.dedent(source).strip("\n")
        if "\n" not in source.strip():
            source = f"return {source.strip()}"
        body = "def decide(output, context):\n" + textwrap.indent(source, "    ") + "\n"
        try:
            tree = ast.parse(body)
        except (SyntaxError, ValueError, RecursionError):
            return None
        if not _needs_only_variables(tree) or '"""' in source or "'''" in source:
            return None
        return self._add(
            "check",
            "(case, answer)",
            '    """An assertion of promptfoo, as it was."""\n\n'
            f"{textwrap.indent(body, '    ')}\n"
            f"    return judged(decide, case, answer, {threshold})",
        )

    def of_file(self, name: str, threshold: float | None) -> str | None:
        """The check of `file://name.py:function`; None if it reads more of promptfoo than the
        answer and the variables.

        Raises:
            UnmappedError: there is no such file.
        """
        path, function = self._split(name, "get_assert")
        if not _readable(path):
            return None
        return self._add(
            "check",
            "(case, answer)",
            f'    """promptfoo\'s assertion {path.name}:{function}, as it is."""\n'
            f"    decide = run_file(__file__, {self._relative(path)!r}, {function!r})\n"
            f"    return judged(decide, case, answer, {threshold})",
        )

    def provider(self, name: str, config: dict[str, object]) -> str:
        """The application of `file://name.py:function`.

        Raises:
            UnmappedError: there is no such file.
        """
        path, function = self._split(name, "call_api")
        return self._add(
            path.stem,
            "(request)",
            f'    """promptfoo\'s provider {path.name}:{function}, as it is."""\n'
            f"    call = run_file(__file__, {self._relative(path)!r}, {function!r})\n"
            f"    return call_provider(call, request, {config!r})",
        )

    def similarity(self, model: str, base_url: str, key: str) -> str:
        """The check that compares embeddings of the answer and of `texts`.

        Args:
            model: the embeddings model.
            base_url: up to and including /v1.
            key: the environment variable with the API key; empty if none is needed.
        """
        return self._add(
            "similar",
            "(case, answer, *, texts: list[str]) -> float",
            f'    """The cosine of the embeddings of {model}, the highest over the texts."""\n'
            f"    return await similarity(answer.text, texts, {model!r}, {base_url!r}, {key!r})",
            define="async def",
        )

    def echo(self) -> str:
        """The application that returns the prompt."""
        return self._add("echo", "(prompt)", '    """The prompt, as it is."""\n    return prompt')

    def to_fill(self, name: str, what: str, source: str, parameters: str) -> str:
        """A function to fill in.

        Args:
            name: what it is called.
            what: what it has to do.
            source: what the configuration has there; it becomes a comment.
            parameters: those of its signature.
        """
        comment = "".join(f"    # {line}".rstrip() + "\n" for line in source.strip().splitlines())
        return self._add(
            name, parameters, f"    # promptfoo:\n{comment}    raise NotImplementedError({what!r})"
        )

    def _add(self, name: str, parameters: str, body: str, define: str = "def") -> str:
        same = f"{parameters}:\n{body}\n"
        for known, text in self._functions.items():
            if text == f"{define} {known}{same}":
                return f"{self.module}:{known}"
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "function"
        plain = f"f_{plain}" if plain[0].isdigit() else plain
        chosen, number = plain, 1
        while chosen in self._functions or chosen in keyword.kwlist:
            number += 1
            chosen = f"{plain}_{number}"
        self._functions[chosen] = f"{define} {chosen}{same}"
        return f"{self.module}:{chosen}"

    def _split(self, name: str, default: str) -> tuple[Path, str]:
        file, _, function = re.sub(r"^(?:file://|python:)+", "", name).partition(".py:")
        (path, *_) = referenced(file if file.endswith(".py") else f"{file}.py", self._base)
        return path, function or default

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(path.resolve(), self._out.resolve())).as_posix()


def _readable(path: Path) -> bool:
    try:
        return _needs_only_variables(ast.parse(path.read_text(encoding="utf-8-sig")))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return False


def _needs_only_variables(tree: ast.AST) -> bool:
    """Whether every use of `context` is one of `context["vars"]` and `context.get("vars")`."""
    allowed: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            if node.slice.value in _CONTEXT_PARTS:
                allowed.add(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = node.args[0] if node.args else None
            part = first.value if isinstance(first, ast.Constant) else None
            if node.func.attr == "get" and part in _CONTEXT_PARTS:
                allowed.add(node.func.value)
    return not any(
        isinstance(node, ast.Name) and node.id == "context" and node not in allowed
        for node in ast.walk(tree)
    )
