"""Jinja2 templates over a case's fields: sandboxed, and strict about undefined names.

Templates come from the suite, values from data: a value that contains `{{ }}` is data and is never
rendered again.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, meta, nodes

from llmeval.core.conversation import conversation_values
from llmeval.core.errors import SuiteError
from llmeval.core.records import Answer, Case, Fields
from llmeval.core.template_limits import CountingEnvironment, begin, limited

MAX_OUTPUT = 4 * 1024 * 1024
_FAILURES = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
)
"""What an expression of a template may raise."""
_TOO_DEEP = (RecursionError, MemoryError, SyntaxError)
"""Python's errors about a template that is nested too deeply, in Jinja2 and in the Python code that
Jinja2 makes.
"""
DATA = "data"
"""The name in templates of the data that an application returned next to its text."""

_WHOLE_EXPRESSION = re.compile(r"\s*\{\{(?P<expression>(?:(?!\}\}).)*)\}\}\s*\Z", re.S)

_ONE_FIELD = re.compile(r"\{\{\s*(?P<name>[A-Za-z_]\w*)\s*\}\}")
_NO_FIELDS = frozenset(["true", "True", "false", "False", "none", "None", "self"])
"""Names that Jinja2 defines itself, so it does not look them up among the values."""


_ENVIRONMENT = CountingEnvironment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False
)


class Template:
    """One compiled template.

    Args:
        source: the template's text.
        name: the place of the template, for messages.

    Raises:
        SuiteError: the template is not valid Jinja2.
    """

    def __init__(self, source: str, name: str) -> None:
        self.source = source
        self.name = name
        try:
            self._template = _ENVIRONMENT.from_string(source)
            # a dict, because jinja copies these at every rendering, and copies a ChainMap slowly
            self._template.globals = dict(self._template.globals)
            self.variables = meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
            plain = not any(mark in source for mark in ("{{", "{%", "{#"))
            self._constant = self._template.render() if plain else None
            self._field = _field_of(source)
        except TemplateSyntaxError as error:
            raise SuiteError(f"{name}, template line {error.lineno}: {error.message}") from None
        except TemplateError as error:
            raise SuiteError(f"{name}: {error}") from None
        except _TOO_DEEP:
            raise SuiteError(f"{name}: the template is nested too deeply") from None

    def render(self, values: Mapping[str, object]) -> str:
        """The text for one case.

        Raises:
            SuiteError: a name is not defined, or the sandbox refused something.
        """
        if self._constant is not None:
            return self._constant
        try:
            field = None if self._field is None else values.get(self._field)
            # faster without the engine: half of all templates are only one field
            text = field if isinstance(field, str) else self._rendered(values)
        except UndefinedError as error:
            names = ", ".join(sorted(values))
            raise SuiteError(f"{self.name}: {error.message}; this case has: {names}") from None
        except _FAILURES as error:
            raise SuiteError(f"{self.name}: {_reason(error)}") from None
        if len(text) > MAX_OUTPUT:
            raise SuiteError(f"{self.name}: renders to more than {MAX_OUTPUT // 2**20} MiB")
        return text

    def _rendered(self, values: Mapping[str, object]) -> str:
        begin()
        return limited(self._template.generate(values), MAX_OUTPUT)


@lru_cache(maxsize=4096)
def _compiled(source: str, name: str) -> Callable[[Mapping[str, object]], object]:
    whole = _WHOLE_EXPRESSION.match(source)
    if whole:
        try:
            expression = _ENVIRONMENT.compile_expression(
                whole["expression"], undefined_to_none=False
            )
        except TemplateError as error:
            raise SuiteError(f"{name}: {error.message}") from None
        except _TOO_DEEP:
            raise SuiteError(f"{name}: the template is nested too deeply") from None
        evaluate = _evaluator(expression, name)
        if (name_of := _field_of(source.strip())) is not None:
            return lambda values: (
                field if isinstance(field := values.get(name_of), str) else evaluate(values)
            )
        return evaluate
    return Template(source, name).render


def _reason(error: BaseException) -> str:
    """What went wrong in a template; a MemoryError has no text."""
    return str(error) or type(error).__name__


def _evaluator(expression: Callable[..., object], name: str) -> Callable[..., object]:
    def evaluate(values: Mapping[str, object]) -> object:
        begin()
        try:
            return expression(values)  # not as keywords: a field may have the name `self`
        except UndefinedError as error:
            names = ", ".join(sorted(values))
            raise SuiteError(f"{name}: {error.message}; this case has: {names}") from None
        except _FAILURES as error:
            raise SuiteError(f"{name}: {_reason(error)}") from None

    return evaluate


def _field_of(source: str) -> str | None:
    """The name, if the template is only one name; None for any other template."""
    whole = _ONE_FIELD.fullmatch(source)
    return whole["name"] if whole and whole["name"] not in _NO_FIELDS else None


def is_template(value: object) -> bool:
    """Whether rendering could change `value` (looks into lists and mappings)."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_template(item) for item in value.values())
    return isinstance(value, list | tuple) and any(is_template(item) for item in value)


def is_expression(text: str) -> bool:
    """Whether a text is one `{{ expression }}`, so that it gives the expression's own value."""
    return _WHOLE_EXPRESSION.match(text) is not None


def render_value(value: object, values: Mapping[str, object], name: str) -> object:
    """`value` with every template in it rendered. A text that is only one `{{ expression }}` gives
    the value of the expression (a list stays a list). Any other template gives text.

    Raises:
        SuiteError: a name is not defined, or the template is not valid.
    """
    if isinstance(value, str):
        if not is_template(value):
            return value
        rendered = _compiled(value, name)(values)
        if isinstance(rendered, StrictUndefined):
            raise SuiteError(
                f"{name}: {value} is not defined; this case has: {', '.join(sorted(values))}"
            )
        return rendered
    if isinstance(value, Mapping):
        return {key: render_value(item, values, name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [render_value(item, values, name) for item in value]
    return value


def case_values(case: Case) -> Fields:
    """The values that a template can use: the case's fields, and `id`, `references`, `reference`
    (the first), `context` and `tags`, if the case has them.
    """
    values = dict(case.fields)
    values["id"] = case.id
    values["tags"] = case.tags
    if case.references:
        values["references"] = list(case.references)
        values.setdefault("reference", case.references[0])
    if case.context is not None:
        values["context"] = case.context
    return values


def answer_values(case: Case, answer: Answer) -> Fields:
    """The values for a template of a check or a judge: `case_values`, the answer's `data`, if it
    has any, and for a conversation `transcript` and `turns`.

    Raises:
        SuiteError: the case has a field with the name of one of these too.
    """
    values = case_values(case)
    own: dict[str, object] = {} if answer.data is None else {DATA: answer.data}
    own |= conversation_values(answer.turns) if answer.turns else {}
    if both := sorted(own.keys() & values.keys()):
        raise SuiteError(
            f"{case.source or case.id}: the case has a field `{both[0]}`, and so has the answer;"
            " give the field another name (`cases.map`)"
        )
    return {**values, **own}


def variables_in(value: object) -> frozenset[str]:
    """Names that the templates in `value` use without defining them (also in lists and mappings).

    Raises:
        SuiteError: one of them is not valid Jinja2.
    """
    return frozenset().union(*(_parsed(text)[0] for text in _templates(value)))


def members_in(value: object, name: str) -> frozenset[str]:
    """Members of the variable `name` that the templates in `value` use: `ids` for `data.ids`.

    Raises:
        SuiteError: one of them is not valid Jinja2.
    """
    accesses = frozenset[tuple[str, str]]().union(*(_parsed(t)[1] for t in _templates(value)))
    return frozenset(member for owner, member in accesses if owner == name)


def _templates(value: object) -> Iterator[str]:
    """The templates in `value`."""
    if isinstance(value, str):
        if is_template(value):
            yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _templates(item)


@lru_cache(maxsize=4096)
def _parsed(source: str) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """The variables that one template uses, and its (variable, member) pairs."""
    try:
        tree = _ENVIRONMENT.parse(source)
        variables = frozenset(meta.find_undeclared_variables(tree))  # refuses an unknown filter
    except TemplateError as error:
        raise SuiteError(f"{source[:200]!r}: {error.message}") from None
    except _TOO_DEEP:
        raise SuiteError(f"{source[:200]!r}: the template is nested too deeply") from None
    accesses = [(node.node, node.attr) for node in tree.find_all(nodes.Getattr)]
    accesses += [
        (node.node, node.arg.value)
        for node in tree.find_all(nodes.Getitem)
        if isinstance(node.arg, nodes.Const)
    ]
    members = frozenset(
        (owner.name, member)
        for owner, member in accesses
        if isinstance(owner, nodes.Name) and isinstance(member, str)
    )
    return variables, members
