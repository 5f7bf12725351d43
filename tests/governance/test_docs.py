"""The commands of docs/governance.md, as a reader would copy them."""

import os
import re
import subprocess
from pathlib import Path

from tests.support.program import program

SUITE = """\
suite: walk
cases: [{id: a, question: "1", reference: "one"}, {id: b, question: "2", reference: "two"}]
prompt: "{{ question }}"
models: {words: {provider: python, function: "docs_app:answer", build: "1"}}
candidate: words
checks: [facts]
gate: {floors: {facts: 0.05}}
approvals: {min: 2, roles: [owner, risk], not_author: true, max_age: 90d, signers: allowed_signers}
"""


def test_the_walk_of_the_documentation(tmp_path: Path, repository: Path) -> None:
    text = (repository / "docs" / "governance.md").read_text()
    (script,) = re.findall(r"<!-- walk: .*? -->\n```bash\n(.*?)```", text, re.S)
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "docs_app.py").write_text(
        "def answer(prompt): return {'1': 'one', '2': 'two'}[prompt]\n"
    )
    author = ("-c", "user.name=eve", "-c", "user.email=eve@example.com")
    for command in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "a change")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    with program() as llmeval:
        done = subprocess.run(
            ["bash", "-ec", script],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{llmeval.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pack.zip" in done.stdout
    assert "ben (risk): no slice fell" in done.stdout
