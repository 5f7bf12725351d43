"""For each check of strings, patterns, JSON, Markdown and run facts: a right answer, a wrong one, a bad argument."""

from typing import Any

from llmeval.core.records import Answer, Usage, digest


def said(text: str, **more: Any) -> Answer:
    return Answer(case_id="a", output=text, **more)


SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
REMOTE = {"$ref": "http://127.0.0.1:9/schema.json"}
DOC = "# Title\n\n- one\n- two\n  1. x\n\n```python\nx = 1\n```\n"
RECORDED = [
    {"answer": digest(b"Paris"), "value": 1, "passed": True},
    {"answer": digest(b"Lyon"), "value": 0, "passed": False},
]

# (check, arguments as in a suite, right answer, wrong answer, bad arguments)
TABLE: list[tuple[str, Any, Answer, Answer, Any]] = [
    ("equals", "Paris", said(" Paris\n"), said("It is Paris"), {"text": ["x"]}),
    ("one_of", [["yes", "no"]], said("Yes."), said("Maybe"), {"options": []}),
    ("contains", "Par", said("Paris"), said("paris"), ""),
    ("icontains", "PAR", said("Paris"), said("Lyon"), {"txt": "x"}),
    ("contains_all", {"texts": ["a", "b"]}, said("ab"), said("a"), {"texts": []}),
    ("contains_any", {"texts": ["a", "b"]}, said("xb"), said("x"), {"txts": ["a"]}),
    ("contains_none", {"texts": ["a", "b"]}, said("x"), said("xb"), {"texts": [1]}),
    ("starts_with", "Dear", said("\nDear all"), said("Oh dear"), ""),
    ("ends_with", "bye.", said("Good bye.\n"), said("bye. now"), {"text": None}),
    ("regex", r"\d{4}", said("in 1999"), said("in 99"), "(unclosed"),
    ("json", {"schema": SCHEMA}, said('```json\n{"a": 1}\n```'), said('{"a": "x"}'), {"schema": REMOTE}),
    ("contains_json", {"schema": SCHEMA}, said('so {"a": 1} it is'), said("so {a} it is"), {"schema": {"type": "no"}}),
    ("json_schema", {"schema": SCHEMA}, said('{"a": 1}'), said('{"b": 1}'), {"schema": REMOTE}),
    ("json_equals", {"value": {"a": [1, 2]}}, said('{"a": [1, 2]}'), said('{"a": [2, 1]}'), {"tolerance": -1}),
    ("json_repairable", None, said("{'a': 1,}"), said("no JSON at all"), {"x": 1}),
    ("keyword", {"word": "art", "max": 1}, said("Art for all"), said("start a party"), {"word": ""}),
    ("keywords", {"words": ["cat", "dog"]}, said("A dog, a cat."), said("A dogma, a cat."), {"words": []}),
    ("bullets", {"exactly": 2}, said(DOC), said("- one"), {"exactly": -1}),
    ("numbered_list", {"exactly": 1}, said(DOC), said("1) a\n2) b"), {"exact": 1}),
    ("headings", {"min": 1, "level": 1}, said(DOC), said("Title"), {"level": 7}),
    ("code_fences", {"language": "python"}, said(DOC), said("`x = 1`"), {"min": "few"}),
    ("no_markdown", None, said("Plain, 2 * 3 * 4 = 24."), said("**bold**"), {"x": 1}),
    ("table", {"columns": ["a", "b"]}, said("|A|b|\n|-|-|\n|1|2|\n"), said("|a|c|\n|-|-|\n|1|2|"), {"min_rows": -1}),
    (
        "links",
        {"hosts": ["a.example"]},
        said("[x](https://www.a.example/)"),
        said("<https://b.example>"),
        {"min": 2, "max": 1},
    ),
    ("bold", {"exactly": 1}, said("**a**"), said("*a*"), {"exactly": "one"}),
    ("horizontal_rules", None, said("a\n\n---\n\nb"), said("a\n---"), {"x": 1}),
    ("xml", {"root": "a", "has": ["//b"]}, said("<a><b/></a>"), said("<a><b></a>"), {"has": ["//["]}),
    ("contains_xml", None, said("so <a>x</a> it is"), said("a < b"), {"x": 1}),
    ("html", {"only": ["p", "b"]}, said("<p>Hi <b>you</b></p>"), said("<p>Hi</p><script>x</script>"), {"only": 1}),
    ("contains_html", None, said("use <br> here"), said("use <xyz> here"), {"x": 1}),
    ("csv", {"columns": ["a", "b"]}, said("a,b\n1,2\n"), said("a,b\n1\n"), {"delimiter": ",,"}),
    ("yaml", {"keys": ["a"]}, said("a: 1\n"), said("b: [1\n"), {"keys": "a"}),
    ("toml", {"keys": ["a"]}, said("a = 1\n"), said("a = \n"), {"keys": 1}),
    ("python_code", {"defines": ["f"]}, said("```python\ndef f(): pass\n```"), said("def g(: pass"), {"defines": "f"}),
    ("code", {"language": "python"}, said("```py\nx = 1\n```"), said("x = = 1"), "klingon"),
    ("sql", {"read_only": True}, said("SELECT a FROM t"), said("DELETE FROM t"), {"dialect": "klingon"}),
    ("quantity", {"unit": "m", "min": 300}, said("0.33 km"), said("330 kg"), "blorb"),
    ("value", "iso_date", said("2024-02-29"), said("2023-02-29"), "colour"),
    ("date_format", "%d.%m.%Y", said("29.02.2024"), said("2024-02-29"), {"pattern": 3}),
    ("number", {"locale": "de", "max": 2000}, said("1.234,5"), said("1,234.5"), {"locale": "xx"}),
    ("no_tool_calls", None, said("x"), said("x", tool_calls=({"name": "f", "arguments": "{}"},)), {"x": 1}),
    (
        "tool_call",
        {"name": "f", "schema": SCHEMA},
        said("", tool_calls=({"name": "f", "arguments": '{"a": 1}'},)),
        said("", tool_calls=({"name": "f", "arguments": "{}"},)),
        {"times": 0},
    ),
    (
        "tool_calls_valid",
        {"tools": {"f": SCHEMA}},
        said("", tool_calls=({"name": "f", "arguments": '{"a": 1}'},)),
        said("", tool_calls=({"name": "g", "arguments": '{"a": 1}'},)),
        {"tools": {"f": REMOTE}},
    ),
    (
        "tool_sequence",
        {"names": ["f", "g"]},
        said("", tool_calls=({"name": "f"}, {"name": "g"})),
        said("", tool_calls=({"name": "g"}, {"name": "f"})),
        {"names": "f"},
    ),
    (
        "tool_f1",
        {"names": ["f", "g"], "threshold": 0.6},
        said("", tool_calls=({"name": "f"},)),
        said("", tool_calls=({"name": "h"},)),
        {"names": []},
    ),
    ("refusal", None, said("I'm sorry, but I can't help with that."), said("Paris is lovely."), {"x": 1}),
    ("no_pii", None, said("Call me."), said("Write to jane@example.org"), {"kinds": ["name"]}),
    ("no_secrets", None, said("no secret here"), said("password: hunter2hunter2"), {"x": 1}),
    ("choice", {"letters": "A-D", "references": ["B"]}, said("(B)"), said("B or C"), {"letters": "A"}),
    ("exact_match", {"references": ["The Paris!"]}, said("paris"), said("Lyon"), {"references": 3}),
    ("token_f1", {"references": ["the old city"]}, said("old city"), said("new town"), {"threshold": 2}),
    ("rouge_n", {"references": ["a b c d"], "n": 2}, said("a b c d"), said("d c b a"), {"n": 0}),
    ("rouge_l", {"references": ["a b c d"]}, said("a x b c d"), said("e f"), {"threshold": -1}),
    ("bleu", {"references": ["a b c d"]}, said("a b c d"), said("d c b a"), {"threshold": 2}),
    ("chrf", {"references": ["abcdef"]}, said("abcdef"), said("fedcba"), {"references": []}),
    ("levenshtein", {"references": ["kitten"], "threshold": 0.5}, said("sitten"), said("xxxxxx"), {"threshold": "x"}),
    ("max_latency", 2, said("x", latency_ms=1500.0), said("x", latency_ms=2500.0), 0),
    ("max_cost", 0.01, said("x", cost_usd=0.005), said("x", cost_usd=0.02), "cheap"),
    ("max_tokens", 5, said("x", usage=Usage(1, 5)), said("x", usage=Usage(1, 6)), 0),
    ("facts", "Paris", said("It is Paris."), said("It is Lyon, not Paris."), {"at_least": 2}),
    ("punctuation", None, said("All is well, here."), said("All is well ,here.."), {"severity": "fatal"}),
    ("finish_reason", None, said("x", finish_reason="stop"), said("x", finish_reason="length"), {"reason": 3}),
    ("recorded", {"scores": RECORDED}, said("Paris"), said("Lyon"), {"scores": [{"answer": "x", "value": 2}]}),
]
