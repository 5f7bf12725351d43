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

_PACKAGE = "llmeval.importers.promptfoo"
_RUNTIME = {
    "node_calls": ("call_command", "call_node_provider", "checked_after_node", "decided_by_node"),
    "python_calls": ("call_provider", "judged", "run_file", "similarity"),
}
"""The functions that generated code may call, by module."""
_CONTEXT_PARTS = frozenset(["vars", "config"])


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
        imports = [
            f"from {_PACKAGE}.{module} import {', '.join(names)}\n"
            for module, functions in _RUNTIME.items()
            if (names := [name for name in functions if f"{name}(" in body])
        ]
        head = (
            '"""Code of an imported promptfoo configuration. A function that raises'
            ' `NotImplementedError` is\nto be filled in.\n"""\n\n'
        )
        return head + "".join(imports) + ("\n\n" if imports else "\n") + body

    def inline(self, source: str, settings: str) -> str | None:
        """The check of a Python assertion in the configuration; None if it reads more of
        promptfoo than the answer, the variables and the assertion's `config`.

        Args:
            source: the Python.
            settings: further arguments of `judged`, from the threshold on.
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
        if "{{" in source or "{%" in source:  # promptfoo fills it for each case
            return None
        return self._add(
            "check",
            "(case, answer)",
            '    """An assertion of promptfoo, as it was."""\n\n'
            f"{textwrap.indent(body, '    ')}\n"
            f"    return judged(decide, case, answer, {settings})",
        )

    def of_file(self, name: str, settings: str) -> str | None:
        """The check of `file://name.py:function`; None if it reads more of promptfoo than the
        answer, the variables and the assertion's `config`.

        Args:
            name: the file, and the function in it.
            settings: further arguments of `judged`, from the threshold on.

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
            f"    decide = run_file(__file__, {self.relative(path)!r}, {function!r})\n"
            f"    return judged(decide, case, answer, {settings})",
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
            f"    call = run_file(__file__, {self.relative(path)!r}, {function!r})\n"
            f"    return call_provider(call, request, {config!r})",
        )

    def javascript(self, code: list[dict[str, str]], settings: str) -> str:
        """The check of a JavaScript assertion, which Node.js runs.

        Args:
            code: changes of the answer, and what decides: texts and files.
            settings: further arguments of `decided_by_node`.
        """
        return self._add(
            "check",
            "(case, answer)",
            f'    """promptfoo\'s JavaScript, as it is. Node.js runs it."""\n'
            f"    code = {code!r}\n"
            f"    return await decided_by_node(__file__, case, answer, code{settings})",
            define="async def",
        )

    def changed(self, code: list[dict[str, str]], check: object, settings: str) -> str:
        """One of llmeval's checks on an answer that JavaScript changed, which Node.js runs.

        Args:
            code: the changes of the answer, in their order.
            check: the check as a suite writes it.
            settings: further arguments of `checked_after_node`.
        """
        return self._add(
            "changed",
            "(case, answer)",
            f'    """A check of the answer as promptfoo\'s JavaScript changes it."""\n'
            f"    code = {code!r}\n"
            f"    check = {check!r}\n"
            f"    return await checked_after_node(__file__, case, answer, code, check{settings})",
            define="async def",
        )

    def javascript_file(self, name: str) -> Path:
        """The only file of that name. Raises UnmappedError."""
        (path, *_) = referenced(name, self._base)
        return path

    def relative(self, path: Path) -> str:
        """The path of a file of the configuration, from the folder of the suites."""
        return Path(os.path.relpath(path.resolve(), self._out.resolve())).as_posix()

    def node_provider(self, path: Path, config: dict[str, object]) -> str:
        """The application that is a JavaScript class with `callApi`, which Node.js runs."""
        return self._add(
            path.stem,
            "(request)",
            f'    """promptfoo\'s provider {path.name}, as it is. Node.js runs it."""\n'
            f"    path = {self.relative(path)!r}\n"
            f"    return await call_node_provider(__file__, path, request, {config!r})",
            define="async def",
        )

    def command(self, command: str, config: dict[str, object]) -> str:
        """The application that is a command, `exec:`."""
        return self._add(
            "command",
            "(request)",
            '    """What a command prints, as promptfoo calls it."""\n'
            f"    folder, command = {self.relative(self._base)!r}, {command!r}\n"
            f"    return await call_command(__file__, folder, command, request, {config!r})",
            define="async def",
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
