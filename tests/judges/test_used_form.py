"""A judge whose endpoint refuses the stated `structured_output` is not the judge that was certified."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from llmeval import api
from llmeval.core.errors import UsageError
from llmeval.core.manifest import Manifest
from llmeval.judges.assurance.certify import certify
from llmeval.models.base import Reply, Request
from llmeval.runner.options import Options
from tests.support.endpoint import Endpoint, serve
from tests.support.planted import Planted, items, planted_judge
from tests.support.suites import answer, write_suite

FLOOR = "gate: {floors: {correctness: 0.1}}\n"


def only_json_object(body: dict[str, Any], earlier: int) -> Any:
    """An endpoint that refuses `json_schema`."""
    if body.get("response_format", {}).get("type") == "json_schema":
        error = {"message": "response_format.type must be text or json_object", "code": 400}
        return 400, {"error": error}, {}
    return answer(body)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve(only_json_object) as served:
        yield served


def suite_with(folder: Path, url: str, judge: str | None = None, mode: str = "") -> Path:
    """A suite whose judge has a certificate for the digest `judge`, and states `mode`."""
    path = write_suite(folder, url, 12, FLOOR)
    text = path.read_text()
    if judge is not None:
        certificate = {"judge": judge, "trusted": True, "labels": 120}
        (folder / "certificate.json").write_text(json.dumps(certificate))
        text = text.replace("attacks: false}", "attacks: false, certificate: certificate.json}")
    if mode:
        text = text.replace("model: judge, base", f"structured_output: {mode}, model: judge, base")
    path.write_text(text)
    return path


def play(path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[Manifest, api.Run]:
    monkeypatch.setenv("LLMEVAL_HOME", str(path.parent / "home"))
    done = api.run(path, options=Options(out=path.parent / name, reuse=True))
    return done.manifest, done


def test_the_certificate_is_void(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, _ = play(suite_with(tmp_path, endpoint.url), monkeypatch, "first")
    stated = manifest.judges["correctness"].digest
    path = suite_with(tmp_path, endpoint.url, stated)
    for name in ("again", "from the cache"):  # the second run sends no request
        requests = len(endpoint.requests)
        manifest, done = play(path, monkeypatch, name)
        judge = manifest.judges["correctness"]
        assert (
            judge.trust == "UNTRUSTED" and "`structured_output: json_schema`" in judge.trust_reason
        )
        assert done.summary.gate.decision == "INCONCLUSIVE"
        assert {metric.trust for metric in done.summary.metrics} == {None, "UNTRUSTED"}
    assert len(endpoint.requests) == requests
    used = {json.loads(line[: line.rindex("}") + 1])["judge"] for line in scores(done)}
    assert stated not in used and len(used) == 1
    path = suite_with(tmp_path, endpoint.url, used.pop(), "json_object")
    manifest, done = play(path, monkeypatch, "as certified")
    assert manifest.judges["correctness"].trust == "TRUSTED"
    assert done.summary.gate.decision == "PASS"


def scores(done: api.Run) -> list[str]:
    """The lines of the judge's verdicts, without those that waited for it."""
    lines = (done.directory.path / "scores.jsonl").read_text().splitlines()
    return [each for each in lines if '"correctness"' in each and '"not_scored"' not in each]


class Adapted(Planted):
    """Its endpoint refuses `json_schema` from the reply of this number on."""

    start = 0

    async def answer(self, request: Request) -> Reply:
        """The reply, which names the form that was sent."""
        reply = await super().answer(request)
        self.start -= 1
        return structs.replace(reply, structured="json_object") if self.start < 0 else reply


def test_a_certificate_is_for_the_form_of_its_verdicts() -> None:
    judge = planted_judge(Adapted(0.95, 0.92))
    found = asyncio.run(certify(judge, items(200), suite="s", days=90, version="1"))
    assert found.judge == judge.members[0].digest_with("json_object") != judge.digest
    assert found.parts["model"]["structured_output"] == "json_object"
    mixed = Adapted(0.95, 0.92)
    mixed.start = 20
    with pytest.raises(UsageError, match="several forms of requests"):
        asyncio.run(certify(planted_judge(mixed), items(200), suite="s", days=90, version="1"))
