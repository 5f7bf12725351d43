"""What a model's identity holds, and what it never shows."""

import functools
import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.function_source import function_source
from llmeval.models.http import HttpEndpoint
from llmeval.models.identity import address, headers
from llmeval.models.openai import OpenAIEndpoint
from llmeval.models.python import PythonFunction
from llmeval.models.systemone import SystemOne

KEY = "sk-proj-4f9a8b7c6d5e4f3a2b1c"
BASE = "https://gw.example:8443/team-a/v1"


def openai(url: str = BASE, **more: Any) -> Mapping[str, Any]:
    return OpenAIEndpoint("m", base_url=url, **{"api_key": "k", **more}).identity


def http(url: str = BASE, **more: Any) -> Mapping[str, Any]:
    given = {
        "method": "POST",
        "headers": {},
        "body": {},
        "output": "o",
        "params": {},
        "timeout": 5.0,
        **more,
    }
    return HttpEndpoint(url, render=lambda value, values: value, **given).identity


def systemone(url: str = BASE, **more: Any) -> Mapping[str, Any]:
    return SystemOne("m", base_url=url, **more).identity


MAKERS = [openai, http, systemone]
OTHERS = [
    "https://gw.example:8443/team-b/v1",
    "https://gw.example:8443/v1",
    "https://gw.example:8443/team-a/v1?deployment=b",
    "https://gw.example:8443/team-A/v1",
    "http://gw.example:8443/team-a/v1",
    "https://gw.example/team-a/v1",
    "https://other.example:8443/team-a/v1",
]
SAME = [
    BASE + "/",
    "HTTPS://GW.Example:8443/team-a/v1",
]


@pytest.mark.parametrize("make", MAKERS)
def test_another_address_is_another_model(make: Any) -> None:
    assert len({json.dumps(make(url)) for url in [BASE, *OTHERS]}) == 1 + len(OTHERS)
    assert {json.dumps(make(url)) for url in [BASE, *SAME]} == {json.dumps(make(BASE))}


def test_a_password_is_no_part_of_an_address() -> None:
    assert address("https://someone:secret@gw.example:8443/team-a/v1") == address(BASE)


def test_the_port_of_the_scheme_need_not_be_written() -> None:
    assert address("https://h:443/v1") == address("https://h/v1") != address("https://h:80/v1")
    assert address("http://[::1]:80/v1") == "http://[::1]/v1"


@pytest.mark.parametrize("make", MAKERS)
def test_a_build_stands_for_the_address(make: Any) -> None:
    assert len({json.dumps(make(url, build="b@7")) for url in [BASE, *OTHERS]}) == 1
    assert make(build="b@7") != make(build="b@8") != make()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("build", [None, "b@7"])
def test_headers_of_the_suite_decide_too(make: Any, build: str | None) -> None:
    one, other, none = (
        make(headers=each, build=build) for each in ({"x-route": "blue"}, {"X-Route": "green"}, {})
    )
    assert one != other != none != one
    assert one == make(headers={"X-ROUTE": "blue"}, build=build), "names of headers have no case"
    assert "blue" not in json.dumps(one)


@pytest.mark.parametrize(
    "name", ["Authorization", "api-key", "X-API-Key", "Proxy-Authorization", "Cookie"]
)
def test_a_renewed_key_is_the_same_model(name: str) -> None:
    assert headers({name: "old", "x-route": "a"}) == headers({name: "new", "x-route": "a"}) != {}
    assert openai(api_key="old") == openai(api_key="new")


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (openai, {"url": f"{BASE}?key={KEY}"}),
        (openai, {"url": f"{BASE}?sig={KEY}&api-version=1"}),
        (http, {"url": f"https://h/hooks/{KEY}/reply"}),
        (openai, {"headers": {"x-team-token": KEY}}),
        (openai, {"url": f"{BASE}?{KEY}"}),
        (http, {"params": {"accessToken": KEY}}),
        (openai, {"params": {"extra": {"api_key": KEY}}}),
        (http, {"body": {"auth": [{"access_token": KEY}], "q": "{{ prompt }}"}}),
        (http, {"params": {"password": KEY}}),
    ],
)
def test_no_secret_is_written(make: Any, given: dict[str, Any]) -> None:
    shown = json.dumps(make(**given))
    assert KEY not in shown
    assert KEY.rpartition("-")[2] not in shown


def test_secrets_that_differ_are_two_models_all_the_same() -> None:
    assert openai(f"{BASE}?key={KEY}") != openai(f"{BASE}?key=other")


# ---- functions
# -----------------------------------------------------------------------------------------------------


def source_of(folder: Path, module: str, files: dict[str, str]) -> Any:
    for name, text in files.items():
        (folder / name).write_text(text)
    for name in files:
        sys.modules.pop(name.removesuffix(".py"), None)
    importlib.invalidate_caches()
    found = importlib.import_module(module)
    return PythonFunction(found.f, f"{module}:f").identity


REPLY = "def f(text):\n    return 'one'\n"


@pytest.mark.parametrize(
    ("files", "edited"),
    [
        ({"own.py": REPLY}, {"own.py": REPLY.replace("one", "two")}),
        ({"own.py": REPLY}, {"own.py": "PROMPT = 'shorter'\n" + REPLY}),
        (
            {"inner.py": REPLY, "own.py": "from inner import f\n"},
            {"inner.py": REPLY.replace("one", "two")},
        ),
        (
            {
                "inner.py": REPLY,
                "own.py": "import functools, inner\nf = functools.partial(inner.f)\n",
            },
            {"inner.py": REPLY.replace("one", "two")},
        ),
        (
            {
                "inner.py": "class F:\n    def __call__(self, text): return 'one'\n",
                "own.py": "from inner import F\nf = F()\n",
            },
            {"inner.py": "class F:\n    def __call__(self, text): return 'two'\n"},
        ),
    ],
)
def test_an_edited_function_is_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], edited: dict[str, str]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before, same = source_of(tmp_path, "own", files), source_of(tmp_path, "own", files)
    after = source_of(tmp_path, "own", {**files, **edited})
    assert before == same
    assert before["source"] != after["source"]
    for name in {**files, **edited}:
        sys.modules.pop(name.removesuffix(".py"), None)


def test_functions_without_a_file() -> None:
    assert function_source("builtins:len", len) is None
    assert function_source("builtins:len", functools.partial(len)) is None
    assert PythonFunction(lambda text: text, "m:f", build="1").identity["build"] == "1"


def test_a_function_that_makes_the_client_is_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "clients_here.py").write_text("def east(): ...\ndef west(): ...\n")
    east, west = (openai(client=f"clients_here:{name}") for name in ("east", "west"))
    assert east != west != openai()
    assert openai(client="clients_here:east", build="b") == openai(
        client="clients_here:west", build="b"
    )
    sys.modules.pop("clients_here")
