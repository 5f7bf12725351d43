"""Credentials that are written into a promptfoo configuration: none of them reaches a file, a note,
a message or the JSON of an import, and what is sent comes from the environment.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from llmeval.importers.credentials import TextCleaner, is_random, names_credential
from tests.support.command import llmeval
from tests.support.tables import each_row

FORM = "sk-proj-" + "Ab1Cd2Ef3Gh4Jk5Lm6Np7"
"""The start of a key in a form that a service documents; each place has its own end."""


class Planted(NamedTuple):
    """A place with a credential. `provider`, `test` and `top`: YAML of one line; `secret`: what may
    not be copied; `expected`: what stands in the suite or its code instead; empty if it is not
    copied at all.
    """

    place: str
    secret: str
    provider: str = "echo"
    test: str = "{vars: {question: q}}"
    top: str = ""
    expected: str = ""


def _app(config: str) -> str:
    return f"{{id: https, config: {{url: 'https://bot.example/v1', {config}}}}}"


def _assertion(assertion: str) -> str:
    return f"{{vars: {{question: q}}, assert: [{assertion}]}}"


PLACES = [
    Planted("login of an address", "tulip-pass", "'https://ann:tulip-pass@bot.example/v1'", expected="https://${URL_USER}:${URL_PASSWORD}@bot.example/v1"),
    Planted("user of an address", "tulip4token", "'https://tulip4token@bot.example/v1'", expected="https://${URL_USER}@bot.example/v1"),
    Planted("query of an address", "tulip-q1", "'https://bot.example/v1?lang=en&key=tulip-q1'", expected="?lang=en&key=${KEY}"),
    Planted("query with another name", "tulip-q2", _app("body: {u: 'https://a.example/?subscription-key=tulip-q2'}"), expected="subscription-key=${SUBSCRIPTION_KEY}"),
    Planted("path of an address", "9f8b7c6d5e4f3a2b1c0d", "'https://bot.example/hook/9f8b7c6d5e4f3a2b1c0d/send'", expected="/hook/${URL_TOKEN}/send"),
    Planted("header with an odd name", "tulip-h1", _app("headers: {X-My-Cred: tulip-h1, X-Tenant: acme}"), expected='X-My-Cred: "${X_MY_CRED}"'),
    Planted("header that says nothing", "t5u7l9ip", _app("headers: {X-Who: t5u7l9ip}"), expected='X-Who: "${X_WHO}"'),
    Planted("header with a default", "tulip-h3", _app("headers: {X-Who: 'Bearer {{env.WHO | default(\"tulip-h3\")}}'}"), expected='X-Who: "Bearer ${WHO}"'),
    Planted("header beside a variable", "tulip-h4", _app("headers: {X-Secret: '{{env.ONE}} tulip-h4'}"), expected="${ONE} ${X_SECRET}"),
    Planted("body", "tulip-b1", _app("body: {q: '{{question}}', apiKey: tulip-b1}"), expected='apiKey: "${API_KEY}"'),
    Planted("nested body", "tulip-b2", _app("body: {a: [{b: {dbPassword: tulip-b2}}]}"), expected='dbPassword: "${DB_PASSWORD}"'),
    Planted("number in a body", "73519264", _app("body: {login: {password: 73519264}}"), expected='password: "${PASSWORD}"'),
    Planted("body as a text", "tulip-b3", _app("body: '{\"q\": {{question | dump}}, \"authorization\": \"tulip-b3\"}'"), expected='authorization: "${AUTHORIZATION}"'),
    Planted("body with a known form", FORM + "B4", _app(f"body: {{note: 'use {FORM}B4 now'}}"), expected='note: "use ${NOTE} now"'),
    Planted("random text in a body", "q8w7e6r5t4y3u2i1o0p9", _app("body: {extra: q8w7e6r5t4y3u2i1o0p9}"), expected='extra: "${EXTRA}"'),
    Planted("name that a shell has set", "tulip-b5", _app("body: {pwd: tulip-b5}"), expected='pwd: "${PROVIDER_PWD}"'),
    Planted("key of a vendor", "tulip-k1", "{id: openai:gpt-x, config: {apiKey: tulip-k1}}", expected='api_key: "${OPENAI_API_KEY}"'),
    Planted("address of a gateway", "tulip-k2", "{id: openai:gpt-x, config: {apiBaseUrl: 'https://gw.example/v1?api-key=tulip-k2'}}", expected="api-key=${API_KEY}"),
    Planted("parameters that pass through", "tulip-k3", "{id: openai:gpt-x, config: {passthrough: {user_token: tulip-k3}}}", expected='user_token: "${USER_TOKEN}"'),
    Planted("name of a model", FORM + "M1", f"openai:chat:{FORM}M1", expected='model: "${MODEL}"'),
    Planted("label", FORM + "L1", f"{{id: openai:gpt-x, label: 'bot {FORM}L1'}}"),
    Planted("command", "tulip-c1", "'exec:python bot.py --api-key tulip-c1'", expected="--api-key {{env.API_KEY}}"),
    Planted("login of a command", "tulip-c2", "'exec:curl -u ann:tulip-c2 https://bot.example'", expected="-u {{env.LOGIN}}"),
    Planted("header of a command", "tulip-c3", "'exec:curl -H \"X-Api-Key: tulip-c3\" https://bot.example'", expected="X-Api-Key: {{env.X_API_KEY}}"),
    Planted("provider to fill in", "tulip-f1", "{id: 'package:x:y', config: {deep: {clientSecret: tulip-f1}}}", expected="{{env.CLIENT_SECRET}}"),
    Planted("raw request", "tulip-f2", "{id: 'package:x:y', config: {request: \"POST / HTTP/1.1\\nX-Key: tulip-f2\"}}", expected="{{env.X_KEY}}"),
    Planted("block of variables", "tulip-e1", top="env: {BOT_KEY: tulip-e1}"),
    Planted("extension", "tulip-e2", top="extensions: ['file://hook.js?token=tulip-e2']"),
    Planted("description", FORM + "D1", top=f"description: about {FORM}D1"),
    Planted("metadata", "tulip-t1", test="{vars: {question: q}, metadata: {token: tulip-t1, area: x}}"),
    Planted("code of a check", "tulip-t2", test=_assertion("{type: javascript, value: \"const apiKey = 'tulip-t2'; return output != apiKey\"}"), expected="{{env.API_KEY}}"),
    Planted("line of code", FORM + "T3", test=_assertion(f"{{type: javascript, value: \"!output.includes('{FORM}T3')\"}}"), expected="raise NotImplementedError"),
    Planted("Python of a check", "tulip-t4", test=_assertion("{type: python, value: \"ask(output, token='tulip-t4')\"}"), expected="raise NotImplementedError"),
    Planted("code of a transform", "tulip-t5", test=_assertion("{type: contains, value: x, transform: \"const password = 'tulip-t5'; return output\"}"), expected="raise NotImplementedError"),
    Planted("address of a webhook", "tulip-t6", test=_assertion("{type: webhook, value: 'https://ann:tulip-t6@a.example'}"), expected="{{env.URL_PASSWORD}}"),
    Planted("settings of an assertion", "tulip-t7", test=_assertion("{type: python, value: file://tone.py, config: {secret: tulip-t7}}"), expected="{{env.SECRET}}"),
    Planted("judge", "tulip-j1", test=_assertion("{type: llm-rubric, value: kind, provider: {id: 'openai:gpt-y', config: {apiKey: tulip-j1}}}"), expected='api_key: "${OPENAI_API_KEY}"'),
    Planted("provider in a file", "tulip-p1", "file://bots.yaml", expected='X-Bot-Key: "${X_BOT_KEY}"'),
    Planted("test in a file", "tulip-p2", test="file://tests.yaml", expected="{{env.PASSWORD}}"),
]  # fmt: skip


def _written(folder: Path, planted: Planted) -> Path:
    (folder / "tone.py").write_text("def get_assert(output, context):\n    return True\n")
    (folder / "bots.yaml").write_text(
        "- {id: 'https://bot.example', config: {headers: {X-Bot-Key: tulip-p1}}}\n"
    )
    (folder / "tests.yaml").write_text(
        "- {vars: {question: q}, assert: [{type: webhook, value: 'https://a.example',"
        " config: {password: tulip-p2}}]}\n"
    )
    config = folder / "promptfooconfig.yaml"
    config.write_text(
        f"prompts: ['Say {{{{question}}}}']\nproviders:\n  - {planted.provider}\n"
        f"tests:\n  - {planted.test}\n{planted.top}\n"
    )
    return config


@pytest.mark.parametrize("planted", PLACES, ids=lambda planted: planted.place)
def test_a_credential_is_in_no_file_and_in_no_message(tmp_path: Path, planted: Planted) -> None:
    config = _written(tmp_path, planted)
    environment = {name: "set-for-the-test" for name in ("WHO", "ONE", *_names(planted.expected))}
    printed = ""
    for out, more in (("plain", ()), ("json", ("--json",))):
        done = llmeval(
            "import", "promptfoo", config, "--out", tmp_path / out, "--skip-unknown", *more,
            cwd=tmp_path, **environment,
        )  # fmt: skip
        printed += done.stdout + done.stderr
    assert done.returncode == 0, printed
    files = [
        path for path in (tmp_path / "json").rglob("*") if path.is_file() and path.suffix != ".pyc"
    ]
    texts = {path: path.read_text() for path in files}
    assert files
    for text in (*texts.values(), *map(str, texts), printed):
        assert planted.secret.lower() not in text.lower()
    assert any(planted.expected in text for text in texts.values())
    notes = json.loads(done.stdout)["notes"]
    assert any("credential" in note and ".yaml:" in note for note in notes), notes


def _names(expected: str) -> list[str]:
    return [part.partition("}")[0] for part in expected.split("${")[1:]]


def test_a_refusal_does_not_quote_a_credential(tmp_path: Path) -> None:
    config = _written(
        tmp_path,
        Planted("", "", _app("method: PATCH, headers: {X-My-Cred: tulip-r1}"), top="extensions: ['exec: a --token tulip-r2']"),
    )  # fmt: skip
    done = llmeval("import", "promptfoo", config, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode != 0
    assert "PATCH" in done.stderr
    assert "tulip" not in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_prompts_and_variables_stay_and_are_named(tmp_path: Path) -> None:
    config = tmp_path / "promptfooconfig.yaml"
    config.write_text(
        f"prompts: ['Is {FORM}P1 a key? {{{{question}}}}', 'Say {{{{question}}}}']\n"
        "providers: [echo]\n"
        f"tests: [{{vars: {{question: 'about {FORM}P2'}}}}]\n"
    )
    done = llmeval(
        "import", "promptfoo", config, "--out", tmp_path / "out", "--name", "bot", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    notes = json.loads(done.stdout)["notes"]
    assert any("prompts[0]: has what looks like a credential; it stays" in note for note in notes)
    assert FORM + "P1" in (tmp_path / "out" / "prompts" / "bot-prompt.j2").read_text()
    (row,) = (tmp_path / "out" / "data" / "bot.jsonl").read_text().splitlines()
    assert json.loads(row)["question"] == f"about {FORM}P2"
    assert FORM.lower() not in json.loads(row)["id"].lower()
    assert FORM not in done.stdout
    checked = llmeval("data", "check", tmp_path / "out" / "bot-prompt.yaml", cwd=tmp_path)
    assert "D012" in checked.stdout


@each_row(
    "text, kind",
    [
        ("openai:chat:gpt-4.1-mini-2025-04-14", "model"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "text"),
        ("accounts/fireworks/models/llama-v3p1-405b-instruct", "text"),
        (
            "https://a.example/v1/3f2b8c1e-9d4a-4c6b-8e1f-2a3b4c5d6e7f?lang=en&max_tokens=100",
            "text",
        ),
        ("Bearer {{env.KEY}}", "text"),
        ("https://{{env.USER}}:{{env.PASS}}@a.example/?key={{env.K}}&q={{question}}", "text"),
        ("The password: required. Token: the unit of a text.", "text"),
        ("const key = row.id; const token = next(1)", "code"),
        ("python bot.py --max-tokens 100 --key-file key.txt", "command"),
        ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", "text"),
    ],
)
def test_what_is_no_credential_stays(text: str, kind: str) -> None:
    assert TextCleaner(lambda value, name: "REPLACED", kind).cleaned(text) == text


@each_row(
    "name, expected",
    [
        ("apiKey", True), ("x-my-cred", True), ("DB_PASSWORD", True), ("accesstoken", True),
        ("key", True), ("authorization", True), ("clientSecret", True), ("cookie", True),
        ("max_tokens", False), ("apiKeyEnvar", False), ("sort_key", False), ("author", False),
        ("token_count", False), ("keyboard", False), ("temperature", False), ("", False),
    ],
)  # fmt: skip
def test_names_of_credentials(name: str, expected: bool) -> None:
    assert names_credential(name) is expected


def test_names_of_settings_are_not_random() -> None:
    assert not is_random("temperatureAndMaxTokensOfTheModel")
    assert is_random("aGVsbG8gd29ybGQ5OTg4Nzc2NjU1NDQzMzIyMTE")
