"""Mathematical expressions as references: `2x + 1`, `a > b`, `x = 2 or x = -2`.

An answer states one only where its own expression is equal in form: the order of the terms of a
sum, of the sides of an equation and of the solutions does not count. Nothing is solved or expanded,
so any other form is left to a judge.
"""

import regex

# The names of functions in ISO 80000-2, and those that programs write.
_FUNCTION = (
    r"(?:(?:arc?)?(?:sin|cos|tan|cot|sec|csc)h?|a(?:sin|cos|tan)|log|ln|lg|lb|exp|sqrt|gcd|lcm|max"
    r"|min|lim|det|abs)(?!\p{L})"
)
_ATOM = rf"(?:\d+(?:[.,]\d+)?|{_FUNCTION}|pi(?!\p{{L}})|\p{{L}}(?!\p{{L}})|[πθ√∞])"
_SIGN = r"(?:<=|>=|!=|\*\*|[-+*/^=<>≤≥≠×·÷±²³()|!])"
_EXPRESSION = rf"(?:{_SIGN}|{_ATOM})(?:\s?(?:{_SIGN}|{_ATOM}))+"
_JOINT = r"\s*(?:,\s*)?(?:\b(?:or|and|oder|und|ou|et|o|y|e)\b|[,;])\s*"
_WHOLE = regex.compile(rf"\s*{_EXPRESSION}(?:{_JOINT}{_EXPRESSION})*\s*")
_ANY = regex.compile(rf"(?<![\p{{L}}\d]){_EXPRESSION}(?:{_JOINT}{_EXPRESSION})*(?![\p{{L}}\d])")
_VARIABLE = regex.compile(r"(?<!\p{L})\p{Ll}(?!\p{L})|[πθ√]")
_OPERATOR = regex.compile(
    r"[+*^=<>≤≥≠×·±²³√π]|\s[-−–]\s|\p{Ll}\s?[-−]\s?\d|\)\(|(?<!\p{L})\d\p{Ll}\b"
    rf"|(?<!\p{{L}})\p{{Ll}}[-−]\p{{Ll}}(?!\p{{L}})|(?<!\p{{L}})\p{{Ll}}[!(]|{_FUNCTION}"
)
_JOINTS = regex.compile(_JOINT)
_RELATION = regex.compile(r"(<=|>=|!=|[=<>])")
_MIRRORED = {"<": ">", "<=": ">="}
_ARGUMENT = regex.compile(rf"({_FUNCTION}\B|(?:sin|cos|tan|log|ln|lg|exp))\((\p{{L}}|\d+)\)")
_SAME = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "≤": "<=", "≥": ">=", "≠": "!=", "²": "^2", "³": "^3"}
)
_LONGEST = 200
_READ = 2000


_ITEM = r"\s*[-−–+±]?\s*(?:\d+(?:[.,]\d+)?(?:/\d+)?|\p{L}|∞|\\infty|π|\\pi)\s*"
_TUPLE = regex.compile(rf"[(\[\]]{_ITEM}(?:[,;|]{_ITEM}){{1,9}}[)\]\[]|±\s?\d+(?:[.,]\d+)?")
"""A point, an interval, or a number with both signs: `(2, 3)`, `[0, 1)`, `±3`."""


def is_tuple(text: str) -> bool:
    """Whether the text is a point, an interval or a number with both signs, and nothing else."""
    return len(text) <= _LONGEST and _TUPLE.fullmatch(_written(text)) is not None


def _states_tuple(reference: str, answer: str) -> bool:
    stated = [match[0] for match in _TUPLE.finditer(_written(answer[:_READ]))]
    wanted = _plain_tuple(_written(reference))
    if not stated and wanted.startswith("±"):
        values = set(regex.findall(r"[-−–]?\d+(?:[.,]\d+)?", answer[:_READ]))
        return {wanted[1:], f"-{wanted[1:]}"} <= {_plain_tuple(value) for value in values}
    return bool(stated) and _plain_tuple(stated[-1]) == wanted


def _plain_tuple(text: str) -> str:
    plain = regex.sub(r"\s+", "", text).replace("\\infty", "∞").replace("\\pi", "π")
    return plain.replace("−", "-").replace("–", "-").replace("+", "").replace(";", ",")


def is_expression(text: str) -> bool:
    """Whether the text is an expression with a variable and an operator, or a tuple, and nothing
    else."""
    if is_tuple(text):
        return True
    if len(text) > _LONGEST or not _WHOLE.fullmatch(_written(text)):
        return False
    return bool(_VARIABLE.search(text) and _OPERATOR.search(text))


def states_expression(reference: str, answer: str) -> bool:
    """Whether an expression of the answer is that of the reference, and the last one is."""
    if is_tuple(reference):
        return _states_tuple(reference, answer)
    stated = [match[0] for match in _ANY.finditer(_written(answer[:_READ]))]
    return bool(stated) and _normal(stated[-1]) == _normal(reference)


def _written(text: str) -> str:
    return regex.sub(r"\\(?:boxed|left|right)\b|[${}]", "", text).strip().rstrip(".")


def _normal(text: str) -> frozenset[tuple[str, ...]]:
    """The solutions of an expression, each as a relation with its sides in one order."""
    return frozenset(_relation(part) for part in _JOINTS.split(text) if part.strip())


def _relation(text: str) -> tuple[str, ...]:
    plain = regex.sub(r"\s+", "", text.replace("≤", "<=").replace("≥", ">=").translate(_SAME))
    plain = _ARGUMENT.sub(r"\1\2", plain)  # sin(x) is sin x
    parts = [
        part if _RELATION.fullmatch(part) else _sum(part)
        for part in _RELATION.split(plain.replace("**", "^"))
    ]
    if len(parts) == 3 and parts[1] in ("=", "!="):
        return (min(parts[0], parts[2]), parts[1], max(parts[0], parts[2]))
    if len(parts) == 3 and parts[1] in _MIRRORED:
        return (parts[2], _MIRRORED[parts[1]], parts[0])
    return tuple(parts)


def _sum(text: str) -> str:
    """The terms of a sum in order; a text with brackets stays as it is."""
    if "(" in text or "|" in text:
        return text
    signed = regex.findall(r"(?:^|(?<![\^*/(]))[+-]?[^+-]+|[+-]?[^+-]+", text)
    return "".join(sorted(term if term[0] in "+-" else f"+{term}" for term in signed))
