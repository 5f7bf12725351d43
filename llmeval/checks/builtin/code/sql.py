"""Checks of SQL by its syntax tree. Nothing is ever run; functions with side effects are not known
as such.
"""

import logging
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ValidationInfo

from llmeval.checks.arguments import Text, clip
from llmeval.checks.base import Result, check, verdict
from llmeval.checks.builtin.code.syntax import sources
from llmeval.checks.reading.payload import Malformed, Payload, malformed_fails, read
from llmeval.core.records import Answer, Case

MAX_SQL = 30_000


def _dialect(name: str) -> str:
    import sqlglot

    try:
        sqlglot.Dialect.get_or_raise(name)
    except ValueError as error:
        raise ValueError(str(error)) from None
    return name


def _parses(query: str, info: ValidationInfo) -> str:
    try:
        parse_sql(query, info.data.get("p_dialect", info.data.get("dialect", "")))
    except Malformed as error:
        raise ValueError(str(error)) from None
    return query


@check(group="code", version=2)
@malformed_fails
def sql(
    case: Case,
    answer: Answer,
    *,
    dialect: Annotated[str, AfterValidator(_dialect)] = "",
    read_only: bool = False,
    kinds: list[Text] | None = None,
    tables: list[Text] | None = None,
    columns: list[Text] | None = None,
    same_as: Annotated[str, AfterValidator(_parses)] | None = None,
    statements: Literal["one", "any"] = "one",
) -> Result:
    """The answer's SQL parses in `dialect`; only reads; is of these `kinds` (select, insert...);
    uses only these `tables` and `columns`; is the query `same_as`, differently laid out.

    Sameness is that of the syntax tree, names and keywords in any case: a yes is certain, a no may
    be another way to write the same query. Statements that the dialect's parser does not know are
    failures.
    """
    names = frozenset(["sql", dialect.lower()]) - {""}
    parsed = [
        one for part in sources(answer.text, names, "SQL", MAX_SQL) for one in _read(part, dialect)
    ]
    if not parsed:
        return verdict(False, "has no SQL statement")
    if statements == "one" and len(parsed) > 1:
        return verdict(False, f"has {len(parsed)} statements; expected one")
    try:
        why = (
            _wrong_kind(parsed, read_only, kinds)
            or _wrong_tables(parsed, tables)
            or _wrong_columns(parsed, columns)
            or _other_query(parsed, same_as, dialect)
        )
    except RecursionError:
        why = "not valid SQL: nested too deeply"
    return verdict(why is None, why or "is valid SQL")


def parse_sql(text: str, dialect: str) -> list[object]:
    """The syntax tree of each statement, by sqlglot.

    Raises:
        Malformed: it does not parse, is nested too deeply, or holds a statement that the parser
            does not know.
    """
    import sqlglot
    from sqlglot import exp

    # it would print the answer's text to standard error wherever it gives up on a statement
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        matches = sqlglot.parse(
            text, read=dialect or None, error_level=sqlglot.ErrorLevel.IMMEDIATE
        )
    except sqlglot.errors.ParseError as error:
        first = error.errors[0] if error.errors else {}
        where = f" at line {first['line']}, column {first['col']}" if first.get("line") else ""
        raise Malformed(
            f"not valid SQL: {first.get('description', 'it does not parse')}{where}"
        ) from None
    except sqlglot.errors.SqlglotError:
        raise Malformed(
            "not valid SQL: it cannot be split into tokens (is a quote or comment not closed?)"
        ) from None
    except RecursionError:
        raise Malformed("not valid SQL: nested too deeply") from None
    statements = [one for one in matches if one is not None]
    unknown = next((one for one in statements if one.find(exp.Command) is not None), None)
    if unknown is not None:
        raise Malformed(
            f"not valid SQL: {clip(str(unknown.this))} is a statement that the parser does not "
            f"support"
        )
    if any(
        isinstance(one, exp.Condition | exp.Alias) and not isinstance(one, exp.Query)
        for one in statements
    ):
        raise Malformed("not valid SQL: this is an expression, not a statement")
    return statements


def _read(part: Payload, dialect: str) -> list[Any]:
    return read(part, lambda text: parse_sql(text, dialect))


def _wrong_kind(parsed: list[Any], read_only: bool, kinds: list[str] | None) -> str | None:
    from sqlglot import exp

    changing = (
        exp.DML,
        exp.DDL,
        exp.Into,
        exp.Lock,
        exp.Drop,
        exp.Alter,
        exp.TruncateTable,
        exp.Set,
        exp.Copy,
        exp.Merge,
    )
    for one in parsed:
        kind = "select" if isinstance(one, exp.Query) else str(one.key)
        if kinds is not None and kind not in [name.lower() for name in kinds]:
            return f"is a statement of the kind {kind}, not {' or '.join(kinds)}"
        match = next(one.find_all(*changing), None) if read_only else None
        if match is not None:
            return f"{match.key.upper()} changes or locks data"
        if read_only and not isinstance(one, exp.Query | exp.Values | exp.Describe | exp.Show):
            return f"{kind.upper()} is not a query"
    return None


def _wrong_tables(parsed: list[Any], tables: list[str] | None) -> str | None:
    from sqlglot import exp

    if tables is None:
        return None
    allowed = {name.lower() for name in tables}
    for one in parsed:
        own = {cte.alias.lower() for cte in one.find_all(exp.CTE)}
        for table in one.find_all(exp.Table):
            full = ".".join(part.name.lower() for part in table.parts)
            if full not in allowed and (
                table.name.lower() not in allowed | own or (table.db and full not in allowed)
            ):
                return f"uses the table {clip(full)}, which is not among the allowed ones"
    return None


def _wrong_columns(parsed: list[Any], columns: list[str] | None) -> str | None:
    from sqlglot import exp

    if columns is None:
        return None
    allowed = {name.lower() for name in columns}
    for one in parsed:
        own = {alias.alias.lower() for alias in one.find_all(exp.Alias)}
        if any(not isinstance(star.parent, exp.Count) for star in one.find_all(exp.Star)):
            return "uses *, which may select columns that are not allowed"
        for column in one.find_all(exp.Column):
            if column.name.lower() not in allowed | own:
                return f"uses the column {clip(column.name)}, which is not among the allowed ones"
    return None


def _other_query(parsed: list[object], expected: str | None, dialect: str) -> str | None:
    if expected is None:
        return None
    same = [_normal(one, dialect) for one in parsed] == [
        _normal(one, dialect) for one in parse_sql(expected, dialect)
    ]
    return None if same else "is not the expected query"


def _normal(statement: Any, dialect: str) -> str:
    from sqlglot import exp
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

    plain = normalize_identifiers(statement.copy(), dialect=dialect or None)
    for paren in list(plain.find_all(exp.Paren)):
        if not isinstance(paren.this, exp.Binary | exp.Connector | exp.Not | exp.Query):
            paren.replace(paren.this)
    return str(plain.sql(dialect=dialect or None, comments=False))
