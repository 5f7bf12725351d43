"""docs/notebook.ipynb, executed in a kernel: its cells run, and show what the text around them says."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By cell id, all texts that the cell shows."""
    folder = tmp_path_factory.mktemp("notebook")
    root = Path(__file__).parent.parent
    book = nbformat.read(root / "docs" / "notebook.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(root))
        patch.setenv("LLMEVAL_HOME", str(folder / "home"))
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
            patch.setenv(name, str(folder / name.lower()))
        NotebookClient(book, timeout=120, resources={"metadata": {"path": folder}}).execute()
    return {cell.id: _shown(cell) for cell in book.cells if cell.cell_type == "code"}


def _shown(cell: NotebookNode) -> str:
    return "\n".join(
        str(text) for output in cell.outputs for text in [*output.get("data", {}).values()]
    )


def test_the_notebook_shows_what_its_text_says(outputs: dict[str, str]) -> None:
    card = outputs["cell-3"]
    assert ">FAIL</b> capitals" in card
    assert "kenya" in card
    assert "Mombasa" in card
    assert "<svg" in card
    assert "kenya" in outputs["cell-5"]
    assert "japan" not in outputs["cell-5"]
    assert "pass_rate" in outputs["cell-6"]
    assert "PASS" in outputs["cell-8"]
    assert "kenya" in outputs["cell-10"]
