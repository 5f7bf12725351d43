"""Functions that suites name: each suite gets the module of its own directory."""

import sys
from pathlib import Path

import pytest

from llmeval.models.loading import load_function
from tests.support.command import llmeval


def _suite(folder: Path, says: str, package: bool = False) -> Path:
    module = folder / ("namesake/__init__.py" if package else "namesake.py")
    module.parent.mkdir(parents=True)
    module.write_text(f"def reply(text):\n    return {says!r}\n")
    suite = folder / "suite.yaml"
    suite.write_text(
        f"suite: {folder.name}\ncases: [{{id: a, question: hi}}]\nprompt: '{{{{ question }}}}'\n"
        "candidate: {provider: python, function: 'namesake:reply'}\nchecks: [{contains: good}]\n"
    )
    return suite


@pytest.mark.parametrize("package", [False, True])
def test_two_suites_in_a_process_test_their_own_applications(tmp_path: Path, package: bool) -> None:
    good, bad = _suite(tmp_path / "one", "good"), _suite(tmp_path / "two", "bad", package)
    done = llmeval("run", good, bad, "--reports", tmp_path / "reports")
    assert done.returncode == 1, done.stdout + done.stderr
    again = llmeval("run", bad, good, "--reports", tmp_path / "reports")
    assert again.returncode == 1, again.stdout + again.stderr


def test_a_module_of_the_suite_does_not_hide_an_installed_one(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("def loads(text):\n    return 'not the real one'\n")
    assert load_function("json:loads", tmp_path)("1") == 1


def test_a_suite_with_a_relative_path_gets_its_own_module_in_each_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("one", "two"):
        _suite(tmp_path / name / "suites", name)
        monkeypatch.chdir(tmp_path / name)
        assert load_function("namesake:reply", Path("suites"))("") == name
    monkeypatch.delitem(sys.modules, "namesake")
