"""What the report says about the seal of its run."""

from pathlib import Path

import pytest

from tests.support.command import llmeval

SUITE = """\
suite: noted
cases: [{id: a, question: "1", reference: "one"}, {id: b, question: "2", reference: "two"}]
prompt: "{{ question }}"
models: {words: {provider: python, function: "noted_app:answer", build: "1"}}
candidate: words
checks: [facts]
gate: {floors: {facts: 0.99}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "noted_app.py").write_text("def answer(prompt): return 'one'\n")
    llmeval("run", "suite.yaml", "--out", "run", cwd=tmp_path)
    return tmp_path


def pages(folder: Path) -> tuple[str, str]:
    llmeval("report", "run", cwd=folder)
    run = folder / "run"
    return (run / "summary.md").read_text(), (run / "report.html").read_text()


def test_a_report_names_the_seal_and_an_override(folder: Path) -> None:
    done = llmeval("seal", "run", cwd=folder)
    digest = done.stdout.split()[-1][:12]
    for text in pages(folder):
        assert digest in text
        assert "OVERRIDE" not in text
    options = ("--decision", "override", "--until", "2099-01-01", "--reason", "known defect")
    assert (
        llmeval("approve", "run", "--by", "ada", "--role", "owner", *options, cwd=folder).returncode
        == 0
    )
    for text in pages(folder):
        assert "OVERRIDE by ada" in text
        assert "1 override" in text
    assert llmeval("verify", "run", cwd=folder).returncode == 0  # the report is not sealed


def test_a_report_of_a_run_that_no_longer_fits_its_seal(folder: Path) -> None:
    seal = folder / "run" / "seal.json"
    seal.write_text(seal.read_text().replace('"sha256": "', '"sha256": "0', 1)[:-1])
    for text in pages(folder):
        assert "does not fit its seal" in text
    seal.write_text(
        seal.read_text().replace('"sha256": "0', '"sha256": "', 1).replace('FAIL"', 'PASS"')
    )
    for text in pages(folder):
        assert "does not fit its seal" in text
