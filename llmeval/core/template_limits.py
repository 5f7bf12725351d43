"""Limits for templates: the sandbox of Jinja2 restricts what a template reaches, and not how much
time and memory it takes.

Every step of a template is counted: each round of a loop, each call of a macro, a filter or a
method, and each operator, with the size of what it reads and gives. Rendering ends with an error
when the count reaches `MAX_STEPS`. Operations whose result can be much larger than their input are
refused before they run.
"""

import operator
import re
import threading
from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any

from jinja2 import Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmeval.core.template_sizes import node_count, text_size

MAX_STEPS = 20_000_000
"""Characters and items that one rendering may read and write, with `_STEP` for each operation."""
MAX_REPEAT = 100_000
"""Largest width, count or number of digits that a filter or a text method may have."""
MAX_TEXT = 4 * 1024 * 1024
"""Most characters of one value, and most values inside a list or a mapping, at any depth."""
MAX_SOURCE = 1024 * 1024
"""Most characters of a template."""
MAX_BITS = 4096
"""Largest whole number, in bits."""

_STEP = 100
"""Steps of one operation, whatever its size."""
_NODE = 10
"""Steps of each value inside a list or a mapping that is counted."""
_SIZED_FILTERS = frozenset(
    ["batch", "center", "indent", "round", "slice", "truncate", "wordwrap", "filesizeformat"]
)
_WITHOUT = ("format", "urlize", "xmlattr", "random")
"""Filters that templates lack: `format` and `urlize` take time that grows with the square of their
input or more, the others are of no use in a prompt.
"""
_AS_TEXT = frozenset(
    "capitalize center e escape forceescape indent join lower pprint replace safe string striptags "
    "title tojson trim truncate upper urlencode wordcount wordwrap".split()
)
"""Filters that make a text of what they get."""
_COMPARING = frozenset(["dictsort", "groupby", "max", "min", "sort", "unique"])
"""Filters that compare what they get."""
_COMPARISONS: dict[str, Callable[[Any, Any], object]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda one, other: one in other,
    "notin": lambda one, other: one not in other,
}
_WIDE_FIELD = re.compile(r"\{[^{}]*:[^{}]*(\{|\d{5})")
_counts = threading.local()


def begin() -> None:
    """Start the count of one rendering in this thread."""
    _counts.steps = 0


def spend(steps: int) -> None:
    """Count steps. Raises SecurityError above `MAX_STEPS`."""
    _counts.steps = getattr(_counts, "steps", 0) + steps
    if _counts.steps > MAX_STEPS:
        raise SecurityError(
            f"the template takes more than {MAX_STEPS:,} steps (characters and items that it reads"
            " and writes)"
        )


def size_of(value: object) -> int:
    """Characters or items of a value; 1 for other values."""
    if isinstance(value, int):
        return 1 + value.bit_length() // 8
    if isinstance(value, Undefined):  # its length is an error, which `default` must not meet
        return 1
    return len(value) if isinstance(value, Sized) else 1


def checked(value: object) -> object:
    """A result, counted. Raises SecurityError if it is too large."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise SecurityError(f"a number of more than {MAX_BITS:,} bits")
    size = size_of(value)
    if not isinstance(value, range):
        nodes_inside = 0 if isinstance(value, str) else node_count(value, MAX_TEXT)
        spend(_NODE * nodes_inside)
        if max(size, nodes_inside) > MAX_TEXT:
            raise SecurityError(f"a value of more than {MAX_TEXT:,} characters or items")
    spend(_STEP + size)
    return value


def written(value: object) -> object:
    """A value that becomes a text, counted. Raises SecurityError if the text is too large."""
    checked(value)
    if not isinstance(value, str):
        spend(_text_size(value))
    return value


def _text_size(value: object) -> int:
    size = text_size(value, MAX_TEXT)
    if size > MAX_TEXT:
        raise SecurityError(f"a value of more than {MAX_TEXT:,} characters or items")
    return size


class CountingGenerator(CodeGenerator):
    """Compiles `~`, comparisons, and lists and mappings as calls that are counted."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        """`a ~ b ~ c`."""
        self.write("environment.concatenated((")
        for argument in node.nodes:
            self.visit(argument, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802
        """`a < b <= c`, `a in b`."""
        self.write("environment.compared((")
        for argument in (node.expr, *(each.expr for each in node.ops)):
            self.visit(argument, frame)
            self.write(", ")
        self.write(f"), {tuple(each.op for each in node.ops)!r})")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        """`[a, b]`."""
        self.write("environment.collected(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        """`{a: b}`."""
        self.write("environment.collected(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        """`(a, b)`; in `for a, b in c` it is a target and no value."""
        if node.ctx != "load":
            super().visit_Tuple(node, frame)
            return
        self.write("environment.collected(")
        super().visit_Tuple(node, frame)
        self.write(")")


class CountingEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox with a count of steps, and limits on sizes."""

    code_generator_class = CountingGenerator
    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, finalize=written)
        for name in _WITHOUT:
            self.filters.pop(name)
        for name, filter_ in self.filters.items():
            self.filters[name] = _counted(name, filter_)
        for name, test in self.tests.items():
            self.tests[name] = _counted_test(test)  # type: ignore[arg-type]  # any callable
        self.globals.pop("lipsum")

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > MAX_SOURCE:
            raise SecurityError(f"the template is longer than {MAX_SOURCE:,} characters")
        tree = super()._parse(source, name, filename)
        for node in tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock)):
            node.body.insert(0, _counting(node))  # type: ignore[attr-defined]
        return tree

    def spend_step(self, size: int) -> None:
        """Count one round of a loop or one call of a macro, which writes `size` characters."""
        spend(_STEP + size)

    def concatenated(self, parts: Sequence[object]) -> str:
        """`a ~ b ~ c`, counted."""
        texts = [str(written(part)) for part in parts]
        _refuse_larger(sum(map(len, texts)), "~")
        return str(checked("".join(texts)))

    def collected(self, value: object) -> object:
        """A list, tuple or mapping that the template makes, counted."""
        return checked(value)

    def compared(self, values: Sequence[Any], names: Sequence[str]) -> object:
        """A chain of comparisons, counted."""
        result: object = True
        for left, right, name in zip(values, values[1:], names, strict=False):
            spend(_STEP + _compared_size(left) + _compared_size(right))
            result = _COMPARISONS[name](left, right)
            if not result:
                break
        return result

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> object:
        """An operator, counted; without those that repeat text or give huge numbers."""
        if operator == "*" and (isinstance(left, Sequence) or isinstance(right, Sequence)):
            raise SecurityError("a text or list can't be multiplied in a template")
        if operator == "%" and isinstance(left, str | bytes):
            raise SecurityError("use the replace or round filter instead of '%' on text")
        if operator == "**" and (abs(right) > 64 or abs(left) > 2**64):
            raise SecurityError("the power is too large")
        spend(size_of(left) + size_of(right))
        return checked(super().call_binop(context, operator, left, right))

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """A call, counted; without methods of texts and numbers that give huge values."""
        owner = getattr(getattr(__obj, "__wrapped__", __obj), "__self__", None)
        if isinstance(owner, str | bytes | int | float):
            _refuse_method(owner, getattr(__obj, "__name__", ""), args, kwargs)
            spend(sum(map(_text_size, (*args, *kwargs.values()))))
        spend(_STEP + size_of(owner) if isinstance(owner, Sized) else _STEP)
        spend(sum(map(size_of, args)))
        return checked(super().call(__context, __obj, *args, **kwargs))


def _counting(node: nodes.Node) -> nodes.ExprStmt:
    """The statement that counts one round of a body."""
    written = sum(
        len(data.data)
        for output in node.iter_child_nodes()
        if isinstance(output, nodes.Output)
        for data in output.nodes
        if isinstance(data, nodes.TemplateData)
    )
    count = nodes.Call(
        nodes.EnvironmentAttribute("spend_step"), [nodes.Const(written)], [], None, None
    )
    return nodes.ExprStmt(count, lineno=node.lineno)


def _compared_size(value: object) -> int:
    return max(size_of(value), _NODE * node_count(value, MAX_TEXT))


def _counted_test(test: Callable[..., Any]) -> Callable[..., Any]:
    """A test (`is`) that counts what it compares."""

    def counted(*args: Any, **kwargs: Any) -> object:
        spend(_STEP + sum(map(_compared_size, args)))
        return test(*args, **kwargs)

    for mark in ("jinja_pass_arg", "jinja_async_variant"):
        if hasattr(test, mark):
            setattr(counted, mark, getattr(test, mark))
    return counted


def _counted(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that counts what it reads and gives. It keeps the marks by which Jinja2 passes it
    the context.
    """
    passes = hasattr(filter_, "jinja_pass_arg")

    def counted(*args: Any, **kwargs: Any) -> object:
        arguments = args[1:] if passes else args
        spend(_STEP + sum(map(size_of, arguments)))
        if name in _SIZED_FILTERS:
            _refuse_large_numbers(name, (*arguments[1:], *kwargs.values()))
        if name in _AS_TEXT:
            spend(sum(_text_size(each) for each in arguments if not isinstance(each, str | range)))
        elif name in _COMPARING:
            spend(sum(_compared_size(each) for each in arguments))
        _refuse_growth(name, arguments, kwargs)
        return checked(filter_(*args, **kwargs))

    for mark in ("jinja_pass_arg", "jinja_async_variant"):
        if hasattr(filter_, mark):
            setattr(counted, mark, getattr(filter_, mark))
    return counted


def _refuse_growth(name: str, arguments: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Refuse filters whose result would be larger than `MAX_TEXT`, before they run."""
    options = (*arguments[1:], *kwargs.values())
    text = str(arguments[0]) if arguments and isinstance(arguments[0], str | int | float) else ""
    if name == "replace" and len(options) >= 2:
        _refuse_replace(text, str(options[0]), str(options[1]))
    elif name == "indent":
        widths = [size for size in options if isinstance(size, int)] or [4]
        widths += [len(size) for size in options if isinstance(size, str)]
        _refuse_larger((text.count("\n") + 1) * max(widths) + len(text), name)
    elif name == "join":
        separators = [str(each) for each in options]
        longest = max(map(len, separators), default=0)
        _refuse_larger(size_of(arguments[0]) * longest, name)
    elif name == "sum" and any(isinstance(each, Sequence) for each in options):
        raise SecurityError("the filter `sum` adds numbers only")


def _refuse_method(owner: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Refuse methods of texts and numbers whose result would be huge, before they run."""
    _refuse_large_numbers(name, (*args, *kwargs.values()))
    if name in ("format", "format_map") and isinstance(owner, str) and _WIDE_FIELD.search(owner):
        raise SecurityError("a width in `format` that is a field, or larger than 9,999")
    if name == "replace" and len(args) >= 2:
        _refuse_replace(str(owner), str(args[0]), str(args[1]))
    elif name == "expandtabs":
        widths = [each for each in (*args, *kwargs.values()) if isinstance(each, int)] or [8]
        _refuse_larger(str(owner).count("\t") * max(widths) + len(owner), name)
    elif name == "join" and args:
        _refuse_larger(size_of(args[0]) * len(owner), name)
    elif name == "translate":
        raise SecurityError("use the replace filter instead of `translate`")


def _refuse_replace(text: str, old: str, new: str) -> None:
    pieces = text.count(old) if old else len(text) + 1
    _refuse_larger(len(text) + pieces * len(new), "replace")


def _refuse_large_numbers(name: str, values: Sequence[object]) -> None:
    for value in values:
        if isinstance(value, int | float) and not -MAX_REPEAT <= value <= MAX_REPEAT:
            raise SecurityError(f"a number larger than {MAX_REPEAT:,} in `{name}`")


def _refuse_larger(size: int, name: str) -> None:
    if size > MAX_TEXT:
        raise SecurityError(f"the result of `{name}` has more than {MAX_TEXT:,} characters")


def limited(chunks: Iterator[str], most: int) -> str:
    """The text of these chunks. Raises SecurityError when it has more than `most` characters."""
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise SecurityError(f"renders to more than {most // 2**20} MiB")
        parts.append(chunk)
    return "".join(parts)
