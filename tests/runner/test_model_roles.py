"""Models in their roles: what they share."""

from pathlib import Path

from llmeval.runner.budget import Budget
from llmeval.runner.model_roles import ModelRoles
from llmeval.runner.options import Options
from llmeval.suite.loader import load_suite

SUITE = """\
suite: s
cases: [{id: a}]
prompt: hi
checks: [{contains: x}]
models:
  one: {provider: openai, model: one, base_url: "http://a/v1", api_key: key-1}
  two: {provider: openai, model: two, base_url: "http://a/v1", api_key: key-1, limits: {concurrency: 40}}
  other key: {provider: openai, model: one, base_url: "http://a/v1", api_key: key-2}
  elsewhere: {provider: openai, model: one, base_url: "http://b/v1", api_key: key-1}
  function: {provider: python, function: "json:dumps"}
candidate: one
""".replace("other key", "other-key")


def test_models_behind_one_endpoint_share_its_window(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(SUITE)
    suite = load_suite(path)
    factory = ModelRoles(suite, Options(concurrency=8), None, Budget(None, None, None))
    windows = {
        name: factory.model_role("x", name, ()).caller.limiter.window for name in suite.spec.models
    }
    assert windows["one"] is windows["two"]
    assert len({id(window) for window in windows.values()}) == 4
    assert windows["one"].maximum == 40, "as wide as the widest of its models asks for"
    assert windows["elsewhere"].maximum == 8
    assert factory.model_role("y", "one", ()).caller is factory.model_role("x", "one", ()).caller
