"""promptfoo's configurations as suites: what each assertion means, what is refused, and that the
suite runs.
"""

import base64
import json
import os
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from llmeval.api import run
from llmeval.checks.spec import bind
from llmeval.cli.import_command import promptfoo
from llmeval.core.errors import SuiteError, UsageError
from llmeval.core.records import Answer, Case
from llmeval.importers.promptfoo.assertions import CHECKS
from llmeval.importers.promptfoo.cases import PROTOCOLS
from llmeval.importers.promptfoo.convert import convert
from llmeval.importers.promptfoo.javascript import runs_as_it_is
from llmeval.importers.promptfoo.refused import REFUSED, TO_FILL, TOOL_SCHEMAS
from llmeval.importers.writing import Imported, write_new
from llmeval.runner.options import Options
from llmeval.runner.plan import inspect_suite
from llmeval.store.directory import RunDir
from llmeval.suite.loader import load_suite
from llmeval.suite.yaml_file import parse
from tests.support.endpoint import serve, verdict

HEAD = "prompts: ['{{question}}']\nproviders: [openai:gpt-x]\n"


def imported(
    folder: Path, config: str, skip: bool = False, suite: str = "bot", **files: str
) -> Imported:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    (folder / "promptfooconfig.yaml").write_text(config)
    return convert(folder / "promptfooconfig.yaml", folder / "out", suite, skip_unknown=skip)


def rows(done: Imported) -> list[dict[str, Any]]:
    (text,) = [text for path, text in done.files.items() if path.name == "bot.jsonl"]
    return [json.loads(line) for line in text.splitlines()]


def suite_of(done: Imported) -> dict[str, Any]:
    return parse(done.files[done.suites[0]], "suite").data  # type: ignore[no-any-return]


def one(tmp_path: Path, assertion: str) -> dict[str, Any]:
    """The case of a single test with one assertion."""
    (row,) = rows(
        imported(tmp_path, f"{HEAD}tests: [{{vars: {{question: q}}, assert: [{assertion}]}}]\n")
    )
    return row


@pytest.mark.parametrize(
    ("assertion", "passes", "fails"),
    [
        ("{type: equals, value: 4}", "4", "5"),
        ("{type: equals, value: {a: 1}}", '{"a": 1}', '{"a": 2}'),
        ("{type: not-equals, value: '4'}", "5", "4"),
        ("{type: contains, value: 0}", "10", "1"),
        ("{type: icontains, value: PARIS}", "paris", "rome"),
        ("{type: contains-all, value: [a, b]}", "ba", "a"),
        ("{type: icontains-any, value: 'A, B'}", "xb", "x"),
        ("{type: not-icontains-any, value: [A, B]}", "x", "xb"),
        ("{type: starts-with, value: Dear}", "Dear all", "Oh dear"),
        ("{type: regex, value: '^\\d{4}$'}", "1999", "99"),
        ("{type: is-json}", "[1]", "```json\n[1]\n```"),
        ("{type: is-json, value: {type: object, required: [a]}}", '{"a": 1}', '{"b": 1}'),
        ("{type: is-json, value: '{\"type\": \"array\"}'}", "[]", "{}"),
        ("{type: contains-json, value: {required: [a]}}", 'so {"a": 1}', "so {}"),
        ("{type: is-html}", "<p>x</p>", "so <p>x</p>"),
        ("{type: is-xml, value: {requiredElements: [root.child]}}", "<root><child/></root>", "<root/>"),
        ("{type: is-sql, value: {databaseType: PostgresQL}}", "SELECT 1", "SELECT FROM FROM"),
        ("{type: not-is-refusal}", "Paris.", "I'm sorry, but I can't help with that."),
        ("{type: word-count, value: {min: 2, max: 3}}", "one two", "one"),
        ("{type: word-count, value: 2}", "one two", "one"),
        ("{type: rouge-n, value: a b c d}", "a b c d", "x y"),
        ("{type: javascript, value: \"output.length < 5 && !output.includes('x')\"}", "abcd", "abx"),
        ("{type: javascript, value: \"output.length < 5 && !output.includes('x')\"}", "abcd", "abcde"),
        ("{type: javascript, value: \"// one\\n(output.includes('a') || output.includes('b')) && output\"}", "cb", "c"),
        ("{type: javascript, value: \"/^a|b$/i.test(output) || output === 'c;d'\"}", "c;d", "xyz"),
        ("{type: assert-set, threshold: 0.5, assert: [{type: contains, value: a}, {type: contains, value: b}]}", "b", "c"),
        ("{type: assert-set, assert: [{type: contains, value: a}, {type: contains, value: b}]}", "ab", "b"),
    ],
)  # fmt: skip
def test_an_assertion_says_the_same_as_a_check(
    tmp_path: Path, assertion: str, passes: str, fails: str
) -> None:
    (check,) = bind(one(tmp_path, assertion)["checks"])
    said = [
        check.evaluate(Case("x", {}), Answer(case_id="x", output=text), lambda value: value).passed
        for text in (passes, fails)
    ]
    assert said == [True, False]


def test_limits_on_the_run_keep_their_units(tmp_path: Path) -> None:
    assert one(tmp_path, "{type: latency, threshold: 1500}")["checks"] == [{"max_latency": 1.5}]
    assert one(tmp_path, "{type: cost, threshold: 0.01, metric: price}")["checks"] == [
        {"max_cost": {"usd": 0.01, "metric": "price"}}
    ]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (f"{HEAD}tests: [{{vars: {{question: q}}, assert: [{{type: meteor, value: x}}]}}]", ":3: tests[0].assert[0].type: `meteor`: there is no METEOR"),
        (f"{HEAD}tests: [{{vars: {{question: q}}, assert: [{{type: not-factuality, value: x}}]}}]", "promptfoo ignores `not-`"),
        (f"{HEAD}tests: [{{vars: {{question: q}}, assert: [{{type: not-llm-rubric, value: x}}]}}]", "can't be reversed"),
        (f"{HEAD}tests: [{{vars: {{question: q}}, assert: [{{type: contians, value: x}}]}}]", "`contians` is not a type"),
        (f"{HEAD}tests: [{{vars: {{question: q}}, assert: [{{type: }}]}}]", ":3: tests[0].assert[0]: an assertion is a mapping with a `type`"),
        (f"{HEAD}defaultTest: {{vars: none.yaml}}\ntests: [{{vars: {{question: q}}}}]", "there is no file none.yaml"),
        (f"{HEAD}tests: [{{vars: {{question: q}}, threshold: 0, assert: [{{type: is-json}}]}}]", "passes always or never"),
        (f"{HEAD}tests: [{{vars: {{question: q, tags: t}}, assert: [{{type: is-json}}]}}]", "tests[0].vars.tags: the variable `tags`"),
        (f"{HEAD}tests: [file://none.csv]", ":3: tests[0]: there is no file none.csv"),
        (f"{HEAD}tests: file://make.py", "there is no file make.py"),
        (f"{HEAD}tests: [{{path: file://make.py, config: {{}}}}]", "tests that code makes"),
        (f"{HEAD}redteam: {{}}\ntests: []", ":3: redteam: attacks are not generated"),
        (f"{HEAD}tests: [{{vars: {{question: '{{{{env.SECRET}}}}'}}, assert: [{{type: is-json}}]}}]", "can't read the environment"),
        ("prompts: ['{{ x | nope }}']\nproviders: [openai:x]\ntests: []", "not a template that Jinja2 understands"),
        ("prompts: [file://p.js]\nproviders: [openai:x]\ntests: []", ":1: prompts[0]: a prompt that code makes"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused_by_file_line_and_key(
    tmp_path: Path, config: str, told: str
) -> None:
    with pytest.raises(SuiteError) as refused:
        imported(tmp_path, config + "\n")
    assert f"{tmp_path / 'promptfooconfig.yaml'}:" in str(refused.value)
    assert told in str(refused.value)


def test_all_that_is_refused_is_told_at_once_and_can_be_left_out(tmp_path: Path) -> None:
    config = (
        HEAD + "derivedMetrics: [{name: a, value: b}]\ntests:\n"
        "  - {vars: {question: a}, assert: [{type: contains, value: x}, {type: perplexity, threshold: 2}]}\n"
        "  - {vars: {question: b}, assert: [{type: meteor, value: x}]}\n"
    )
    with pytest.raises(
        SuiteError,
        match="(?s):3: derivedMetrics.*:5: .*`perplexity`.*:6: .*`meteor`.*no assertion of this test is left",
    ) as all_:
        imported(tmp_path, config)
    assert not (tmp_path / "out").exists()
    done = imported(tmp_path, config, skip=True)
    assert len(done.left_out) == 4
    assert all(line in str(all_.value) for line in done.left_out)
    assert [row["checks"] for row in rows(done)] == [[{"contains": "x"}]]


def test_a_test_that_goes_with_a_counted_assertion_is_named(tmp_path: Path) -> None:
    config = (
        HEAD + "defaultTest: {assert: [{type: meteor, value: x}]}\ntests:\n"
        "  - {vars: {question: a}, assert: [{type: contains, value: x}]}\n"
        "  - {vars: {question: b}, threshold: 0.5, assert: [{type: contains, value: x}]}\n"
    )
    done = imported(tmp_path, config, skip=True)
    assert [row["question"] for row in rows(done)] == ["a"]
    assert any(
        "tests[1]: the test goes with what its `threshold` counts" in line for line in done.left_out
    )


def test_every_type_is_mapped_judged_or_refused_once() -> None:
    groups = [
        set(CHECKS), set(PROTOCOLS), set(REFUSED), set(TO_FILL) - {"javascript"}, set(TOOL_SCHEMAS)
    ]  # fmt: skip
    assert sum(map(len, groups)) == len(set().union(*groups))


def test_columns_of_csv(tmp_path: Path) -> None:
    table = (
        "question,__expected,__expected2,__threshold,__metric,__metadata:area,__metadata:kinds[],__config:__expected2:threshold,__description,__suffix\n"
        'What is 2+2?,4,rouge-n: four,,,maths,"a,b\\,c",0.4,,\n'
        '"Two,\nlines","contains-any: ""hi, there"",hello",,,word,,,,greeting, Be brief.\n'
        "Note: this,is-json,contains(0.5): x,0.5,,,,,,\n"
        "Plain,see: that,,,,,,,,\n"
    )
    first, second, third, fourth = rows(imported(tmp_path, f"{HEAD}tests: t.csv\n", t_csv=table))
    assert first["checks"] == [
        {"equals": "4"},
        {"rouge_n": {"references": ["four"], "threshold": 0.4}},
    ]
    assert first["tags"] == {"area": "maths", "kinds": "a, b,c"}
    assert second["id"] == "greeting"
    assert second["checks"] == [
        {"contains_any": {"texts": ["hi, there", "hello"], "metric": "word"}}
    ]
    assert second["prompt_suffix"] == " Be brief."
    assert third["checks"][0]["at_least"]["k"] == 1
    assert fourth["checks"] == [{"equals": "see: that"}], (
        "no type that promptfoo knows: the text itself"
    )


def test_a_row_is_named_by_its_line(tmp_path: Path) -> None:
    table = 'question,__expected\n"a\nb",x\nc,meteor: x\n'
    with pytest.raises(SuiteError, match=r"t\.csv:4: assert\[0\]\.type: `meteor`"):
        imported(tmp_path, f"{HEAD}tests: [t.csv]\n", t_csv=table)


def test_defaults_variables_scenarios_and_references(tmp_path: Path) -> None:
    config = (
        "prompts: ['{{question}} {{tone}} {{extra}}']\nproviders: [openai:gpt-x]\n"
        "assertionTemplates: {polite: {type: contains, value: please}}\n"
        "defaultTest: {vars: {tone: kind}, assert: [{type: icontains, value: '{{question}}'}]}\n"
        "tests:\n"
        "  - {vars: {question: [a, b], tone: '{{question}}!'}}\n"
        "  - {vars: {question: c}, options: {disableDefaultAsserts: true}, assert: [{$ref: '#/assertionTemplates/polite'}]}\n"
        "scenarios:\n"
        "  - config: [{vars: {question: d}}, {vars: {question: e}}]\n"
        "    tests: [{assert: [{type: contains, value: '{{question}}'}]}]\n"
    )
    found = {row["question"]: row for row in rows(imported(tmp_path, config))}
    assert found["a"]["tone"] == "a!"
    assert (found["a"]["id"], found["c"]["id"]) == ("a", "c"), (
        "by the test's own words, not by those of all tests"
    )
    assert found["a"]["extra"] == "", "as in Nunjucks"
    assert found["b"]["checks"] == [{"icontains": "{{question}}"}]
    assert found["c"]["checks"] == [{"contains": "please"}]
    assert found["d"]["tone"] == "kind"
    assert [list(check) for check in found["e"]["checks"]] == [["icontains"], ["contains"]]


def test_shared_defaults_stand_in_the_suite_and_the_pass_rate_in_its_gate(tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        HEAD + "env: {PROMPTFOO_PASS_RATE_THRESHOLD: 95}\n"
        "evaluateOptions: {repeat: 3, maxConcurrency: 2}\n"
        "defaultTest: {assert: [{type: contains, value: 'costs ${X}'}, {type: is-json, weight: 0}]}\n"
        "tests: [{vars: {question: a}}, {vars: {question: b}, assert: [{type: contains, value: z, metric: end}]}]\n",
    )
    suite = suite_of(done)
    assert suite["checks"] == [{"contains": "costs $${X}"}, {"json": {"fence": "forbid"}}], (
        "no variable of ours"
    )
    assert suite["gate"] == {"floors": {"contains": 0.95, "end": 0.95}, "on_inconclusive": "warn"}
    assert (suite["repeats"], suite["models"]["gpt-x"]["limits"]) == (3, {"concurrency": 2})
    assert any("weight 0" in note for note in done.notes)


@pytest.mark.parametrize(
    ("threshold", "gate"),
    [
        ("", {"must_pass": "all"}),
        ("100", {"must_pass": "all"}),
        ("0", "none"),
        ("60", {"floors": {"contains": 0.6}, "on_inconclusive": "warn"}),
    ],
)
def test_the_gate_is_what_promptfoo_fails_by(tmp_path: Path, threshold: str, gate: Any) -> None:
    env = f"env: {{PROMPTFOO_PASS_RATE_THRESHOLD: {threshold}}}\n" if threshold else ""
    tests = "tests: [{vars: {question: q}, assert: [{type: contains, value: z}]}]\n"
    assert suite_of(imported(tmp_path, HEAD + env + tests))["gate"] == gate


def test_providers_and_prompts(tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        "prompts:\n"
        "  - {id: file://chat.json, label: chat}\n"
        "  - {raw: 'Say {{question | dump}}', label: plain}\n"
        "providers:\n"
        "  - {id: openai:responses:gpt-x, label: Big One, config: {temperature: 0, apiKey: '{{env.KEY}}', apiBaseUrl: 'http://h/v1'}, prompts: [plain]}\n"
        "  - {id: https, config: {url: 'http://h/ask', body: {q: '{{prompt}}'}, transformResponse: 'json.a[0].text'}}\n"
        "tests: [{vars: {question: q}, assert: [{type: contains, value: x}]}]\n",
        chat_json='[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "{{question}}"}]',
    )
    chat, plain = (parse(done.files[path], path.name).data for path in done.suites)
    assert chat["messages"][0] == {"role": "system", "content": "Be kind."}
    assert list(chat["models"]) == ["https"], "the other is meant for another prompt"
    assert chat["models"]["https"] == {
        "provider": "http", "url": "http://h/ask", "body": {"q": "{{prompt}}"}, "output": "a[0].text",
    }  # fmt: skip
    assert plain["candidate"] == "big-one"
    assert plain["models"]["big-one"] == {
        "provider": "openai", "model": "gpt-x", "base_url": "http://h/v1", "api": "responses",
        "api_key": "${KEY}", "params": {"temperature": 0},
    }  # fmt: skip
    assert (
        done.files[tmp_path / "out" / "prompts" / "bot-plain.j2"] == "Say {{question | tojson}}\n"
    )


def test_the_suite_runs_and_judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(body: dict[str, Any], earlier: int) -> str:
        text = body["messages"][-1]["content"]
        if body["model"] != "grader":
            return "It is Tokyo." if "Japan" in text else "It is Rome."
        if "BEGIN" in text and "criterion_1" in text:
            return json.dumps(
                {"criteria": [{"name": "criterion_1", "evidence": "", "verdict": "met"}]}
            )
        answer = text.split("BEGIN ANSWER\n")[1].split("END ANSWER")[0]
        return verdict("correct" if "Tokyo" in answer else "incorrect")

    monkeypatch.setenv("KEY", "k")
    with serve(said) as endpoint:
        config = (
            "prompts: ['Capital of {{country}}?']\n"
            f"providers: [{{id: openai:cand, config: {{apiBaseUrl: '{endpoint.url}', apiKey: '{{{{env.KEY}}}}'}}}}]\n"
            f"defaultTest: {{options: {{provider: {{id: openai:grader, config: {{apiBaseUrl: '{endpoint.url}'}}}}}}}}\n"
            "tests:\n"
            "  - {vars: {country: Japan}, assert: [{type: contains, value: Tokyo}, {type: factuality, value: Tokyo}]}\n"
            "  - {vars: {country: France}, assert: [{type: contains, value: Paris}, {type: factuality, value: Paris}]}\n"
        )
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        done = imported(tmp_path, config)
        write_new(done.files)
        suite = load_suite(done.suites[0])
        assert inspect_suite(suite)["cases"] == 2
        result = run(suite, options=Options(out=tmp_path / "run"))
    passed = {
        (score.case_id, score.metric): score.passed
        for unit in RunDir(result.path).units()
        for score in unit.scores
    }  # fmt: skip
    assert passed == {
        ("japan", "contains"): True, ("japan", "factuality"): True,
        ("france", "contains"): False, ("france", "factuality"): False,
    }  # fmt: skip


def test_recorded_outputs_are_replayed_and_nothing_is_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(
        "prompts: ['{{q}}']\nproviders: [python:none.py]\n"
        "tests: [{vars: {q: a}, providerOutput: yes it is, assert: [{type: contains, value: 'yes'}]}]\n"
    )
    with pytest.raises(SuiteError, match="there is no file none.py"):
        promptfoo(Path("c.yaml"), name="rec")
    assert promptfoo(Path("c.yaml"), Path("out"), "rec", True, True) == 0
    assert json.loads(capsys.readouterr().out)["suites"] == [os.path.join("out", "rec.yaml")]
    result = run(load_suite("out/rec.yaml"), options=Options(out=tmp_path / "run"))
    assert (result.summary.counts.passed, result.summary.counts.failed) == (1, 0)
    with pytest.raises(UsageError, match="is not overwritten"):
        promptfoo(Path("c.yaml"), Path("out"), "rec", True, True)


def test_a_test_that_only_a_missing_judge_scores_is_left_out_with_it(tmp_path: Path) -> None:
    config = (
        HEAD + "tests:\n"
        "  - {vars: {question: a}, assert: [{type: llm-rubric, value: x, provider: 'python:judge.py', metric: end}]}\n"
        "  - {vars: {question: b}, assert: [{type: contains, value: x, metric: end}]}\n"
    )
    assert [row["question"] for row in rows(imported(tmp_path, config, skip=True))] == ["b"]
    done = imported(tmp_path, config.replace(", provider: 'python:judge.py'", ""))
    assert list(suite_of(done)["judges"]) == ["end-2"], (
        "a metric that a check has stays the check's"
    )
    write_new(done.files)
    assert inspect_suite(load_suite(done.suites[0]))["judges"] == ["end-2"]
    with pytest.raises(SuiteError, match="no provider is left"):
        imported(tmp_path, config.replace("openai:gpt-x", "file://none.py"), skip=True)


def test_prompts_in_files_of_their_own(tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        "prompts: file://all.yaml\nproviders: openai:gpt-x\n"
        "tests: [{vars: {question: q}, assert: [{type: contains, value: x}]}]\n",
        all_yaml="- file://two.txt\n- {label: third, raw: 'C {{question}}'}\n",
        two_txt="A {{question}}\n---\nB {{question}}\n",
    )
    assert [path.stem for path in done.suites] == ["bot-two", "bot-two-2", "bot-third"]
    assert [text.strip() for path, text in done.files.items() if path.suffix == ".j2"] == [
        "A {{question}}", "B {{question}}", "C {{question}}",
    ]  # fmt: skip


def test_what_is_code_or_has_no_address_is_to_be_filled_in_and_never_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tone.py").write_text(
        "def get_assert(output, context):\n"
        "    return {'pass': context['vars']['word'] in output, 'score': 0.5, 'reason': 'tone'}\n"
    )
    (tmp_path / "cut.ts").write_text("export default (output: string) => output.slice(1);\n")
    (tmp_path / "app.py").write_text(
        "def call_api(prompt, options, context):\n"
        "    return {'output': prompt + context['vars']['word'] + options['config']['end']}\n"
    )
    done = imported(
        tmp_path,
        "prompts: ['Say {{word}}']\nproviders: [{id: file://app.py, config: {end: '!'}}, xai:image:grok-image, echo]\n"
        "tests:\n"
        "  - vars: {word: tea}\n"
        "    assert:\n"
        "      - {type: python, value: 'len(output) < 20', metric: brief}\n"
        "      - {type: python, value: \"if 'tea' in output:\\n  return 0.4\\nreturn 0\", threshold: 0.5, metric: graded}\n"
        "      - {type: python, value: file://tone.py, metric: tone}\n"
        "      - {type: python, value: \"context['test'] and True\", metric: needs}\n"
        "      - {type: javascript, value: 'context.test.options && output', metric: parsed}\n"
        "      - {type: 'similar:dot', value: tea, threshold: 0.8, metric: near}\n"
        "      - {type: not-contains, value: x, transform: 'file://cut.ts', metric: cut}\n",
    )
    write_new(done.files)
    result = run(load_suite(done.suites[0]), options=Options(out=tmp_path / "run"))
    (unit,) = RunDir(result.path).units()
    passed = {score.metric: score.passed for score in unit.scores}
    assert passed == {
        "brief": True, "graded": False, "tone": True,
        "needs": None, "parsed": None, "near": None, "not cut": None,
    }  # fmt: skip
    assert all(
        score.error
        for score in unit.scores
        if score.metric in ("needs", "parsed", "near", "not cut")
    )
    assert result.summary.counts.passed == 0
    assert len(done.to_fill) == 5, "four checks and a provider"
    code = done.files[tmp_path / "out" / "bot_code.py"]
    assert "# value: context.test.options && output" in code


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js runs the code")
def test_javascript_that_reads_only_the_answer_and_the_variables_runs_as_it_is(
    tmp_path: Path,
) -> None:
    (tmp_path / "length.js").write_text(
        "module.exports = (output, context) => output.length >= context.config.least;\n"
    )
    (tmp_path / "app.mjs").write_text(
        "export default class {\n"
        "  constructor(options) { this.end = options.config.end; }\n"
        "  async callApi(prompt, context) {\n"
        "    console.log('noise');\n"
        "    return { output: { said: prompt + context.vars.word + this.end } };\n"
        "  }\n"
        "}\n"
    )
    done = imported(
        tmp_path,
        "prompts: ['Say {{word}} ']\n"
        "providers: [{id: file://app.mjs, config: {end: '!'}}]\n"
        "tests:\n"
        "  - vars: {word: tea}\n"
        "    assert:\n"
        "      - {type: javascript, value: \"output.said.endsWith(context.vars.word + '!')\", metric: right}\n"
        "      - {type: javascript, value: 'output.said.length > 90', metric: wrong}\n"
        "      - {type: not-javascript, value: 'output.said.length > 90', metric: turned}\n"
        "      - {type: javascript, value: \"const s = 0.4;\\nreturn {pass: s > 0.3, score: s, reason: 'r'}\", threshold: 0.5, metric: graded}\n"
        "      - {type: javascript, value: file://length.js, config: {least: 11}, transform: output.said, metric: file}\n"
        "      - {type: contains, value: TEA, transform: output.said.toUpperCase(), metric: changed}\n"
        "      - {type: not-contains, value: TEA, transform: output.said.toUpperCase(), metric: gone}\n"
        "      - {type: javascript, value: output.nothing.here, metric: broken}\n",
    )
    assert not done.to_fill
    write_new(done.files)
    result = run(load_suite(done.suites[0]), options=Options(out=tmp_path / "run"))
    (unit,) = RunDir(result.path).units()
    assert {score.metric: score.passed for score in unit.scores} == {
        "right": True, "wrong": False, "not turned": True, "graded": False, "file": True,
        "changed": True, "not gone": False, "broken": None,
    }  # fmt: skip
    (broken,) = [score for score in unit.scores if score.metric == "broken"]
    assert broken.error and "JavaScript: TypeError" in broken.error.message


@pytest.mark.parametrize(
    ("code", "objects", "runs"),
    [
        ("output.length > 3 && context.vars.word", False, True),
        ("const { vars } = context;\nreturn output.includes(vars.word)", False, True),
        ("(output, context) => output.trim() === context['vars'].word", False, True),
        ("output.color === 'red'", False, False),
        ("output.color === 'red'", True, True),
        ("output.includes('{{word}}')", False, False),
        ("context.providerResponse.cached", False, False),
        ("context.test.vars.word === output", False, False),
        ("/a/.test(output) || context.logProbs[0]", False, False),
        ("require('promptfoo').assertions", False, False),
        ("check(context)[0]", False, True),
        ("context['prompt'].length", False, False),
    ],
)
def test_which_javascript_is_run_as_it_is(code: str, objects: bool, runs: bool) -> None:
    assert runs_as_it_is(code, objects=objects) is runs


def test_keys_are_variables_and_settings_that_are_not_sent_are_named(tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        "prompts: ['For {{env.COMPANY}}: {{question}} costs ${x}']\n"
        "providers:\n"
        "  - {id: 'openai:chat:{{env.NAME}}', config: {apiKey: sk-123, voice: y, inputCost: 0.000001, outputCost: 0.000002}}\n"
        "  - {id: 'bedrock:some.model', config: {generationConfig: {maxOutputTokens: 5}}}\n"
        "tests: [{vars: {question: q}}]\n",
    )
    text = done.files[done.suites[0]]
    suite = suite_of(done)
    first, second = suite["models"].values()
    assert "sk-123" not in "".join(done.files.values())
    assert (first["model"], first["api_key"]) == ("${NAME}", "${OPENAI_API_KEY}")
    assert first["base_url"] == "${OPENAI_BASE_URL:-https://api.openai.com/v1}"
    assert first["price"] == {"input": 1.0, "output": 2.0}
    assert (second["base_url"], second["params"]) == ("${BEDROCK_BASE_URL}", {"max_tokens": 5})
    assert suite["prompt"] == "For ${COMPANY}: {{question}} costs $${x}"
    assert suite["gate"] == "none", "a test without an assertion only runs"
    assert rows(done)[0]["checks"] == [{"min_words": 1}]
    assert any("'voice' is not sent" in note for note in done.notes), text


def test_tests_with_one_prompt_are_one_case_and_attacks_leave_one_to_fill_in(
    tmp_path: Path,
) -> None:
    done = imported(
        tmp_path,
        "prompts: [Name a colour]\nproviders: [openai:x]\n"
        "tests: [{assert: [{type: contains, value: a}]}, {assert: [{type: contains, value: b}]}]\n",
    )
    assert [row["checks"] for row in rows(done)] == [[{"contains": "a"}, {"contains": "b"}]]
    assert any("all tests send the same" in note for note in done.notes)
    attacks = "prompts: ['{{prompt}}']\ntargets: [openai:x]\nredteam: {plugins: [x]}\n"
    with pytest.raises(SuiteError, match="redteam: attacks are not generated"):
        imported(tmp_path, attacks)
    done = imported(tmp_path, attacks, skip=True)
    assert (len(done.left_out), len(done.to_fill)) == (1, 1)
    assert suite_of(done)["gate"] == "none"


def test_tests_that_lose_every_assertion_only_run(tmp_path: Path) -> None:
    config = HEAD + "tests: [{vars: {question: q}, assert: [{type: meteor, value: x}]}]\n"
    done = imported(tmp_path, config, skip=True)
    assert suite_of(done)["gate"] == "none"
    assert any("it only runs" in line for line in done.left_out)


def test_costs_without_a_price_and_tool_calls_are_named(tmp_path: Path) -> None:
    done = imported(
        tmp_path,
        "prompts: ['{{q}}']\nproviders: [{id: openai:x, config: {tools: [{name: t}]}}]\n"
        "tests: [{vars: {q: a}, assert: [{type: cost, threshold: 0.1}, {type: contains, value: t}]}]\n",
    )
    notes = "\n".join(done.notes)
    assert "`max_cost` applies to no case until" in notes
    assert "promptfoo compares a tool call as JSON text" in notes


class _Embeddings(BaseHTTPRequestHandler):
    """Returns a vector of two counts for each text."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = [{"embedding": [t.count("a"), t.count("b")]} for t in body["input"]]
        reply = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def test_similar_compares_embeddings_of_an_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = imported(
        tmp_path,
        "prompts: ['{{text}}']\nproviders: [echo]\ndefaultTest: {assert: [{type: similar, value: [a, ab], threshold: 0.9}]}\n"
        "tests: [{vars: {text: aab}}, {vars: {text: bbb}}, {vars: {text: x}}]\n",
        suite="near",
    )
    assert not done.to_fill
    write_new(done.files)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Embeddings) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        result = run(load_suite(done.suites[0]), options=Options(out=tmp_path / "run"))
        server.shutdown()
        thread.join()
    scores = {score.case_id: score for unit in RunDir(result.path).units() for score in unit.scores}
    assert {case: score.passed for case, score in scores.items()} == {
        "aab": True,
        "bbb": False,
        "x": None,
    }
    assert "only zeros" in str(scores["x"].error)


def test_a_chat_with_an_image_becomes_the_messages_of_its_case(tmp_path: Path) -> None:
    tmp_path.mkdir(exist_ok=True)
    data = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    (tmp_path / "dot.png").write_bytes(data)
    chat = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "{{question}}"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,{{picture}}"}},
            ],
        },
    ]
    done = imported(
        tmp_path,
        "prompts: [file://chat.json]\nproviders: [openai:gpt-x]\ntests:\n"
        "  - vars: {question: Which colour?, picture: file://dot.png}\n"
        "    assert: [{type: contains, value: red}]\n",
        chat_json=json.dumps(chat),
    )
    (row,) = rows(done)
    assert "prompt" not in suite_of(done)
    assert "picture" not in row
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    assert row["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Which colour?"},
                {"type": "image_url", "image_url": {"url": url}},
            ],
        },
    ]
    with pytest.raises(SuiteError, match="an image in a text"):
        imported(
            tmp_path,
            "prompts: ['{{picture}} Which colour?']\nproviders: [openai:gpt-x]\ntests:\n"
            "  - {vars: {picture: file://dot.png}, assert: [{type: contains, value: red}]}\n",
        )


def test_tool_calls_are_checked_by_the_schemas_of_the_provider(tmp_path: Path) -> None:
    schema = "{type: object, properties: {city: {type: string}}}"
    config = (
        "prompts: ['{{q}}']\nproviders:\n  - id: openai:gpt-x\n    config:\n      tools:\n"
        f"        - {{type: function, function: {{name: weather, parameters: {schema}}}}}\n"
        "tests: [{vars: {q: x}, assert: [{type: is-valid-openai-tools-call}]}]\n"
    )
    (row,) = rows(imported(tmp_path, config))
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    assert row["checks"] == [{"tool_calls_valid": {"tools": {"weather": parameters}, "min": 1}}]
    with pytest.raises(SuiteError, match="takes its schemas from the provider"):
        imported(
            tmp_path,
            config.replace("type: function,", "type: mcp, server_url: x, f:").replace(
                "f: function:", "f:"
            ),
        )


def test_variables_in_files_are_relative_to_the_file_of_the_test(tmp_path: Path) -> None:
    for folder in ("tests", "vars"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "vars" / "a_one.yaml").write_text("question: q1\n")
    (tmp_path / "vars" / "a_two.yaml").write_text("other: x\n")
    (tmp_path / "tests" / "t.yaml").write_text("- vars: ../vars/a_*.yaml\n")
    done = imported(tmp_path, HEAD + "tests: file://tests/t.yaml\n")
    (row,) = rows(done)
    assert (row["question"], row["other"]) == ("q1", "x")
