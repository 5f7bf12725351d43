"""The house: imports point one way, and rooms stay small."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tables import each_row

PACKAGE = Path(__file__).parent.parent / "llmeval"
CORE = {"core"}
STORE = CORE | {"store"}
ALLOWED = {
    "core": set(),
    "store": CORE,
    "suite": CORE,
    "data": CORE | {"suite"},
    "models": CORE | {"suite"},
    "checks": CORE,
    "stats": CORE,
    "judges": STORE | {"models", "stats"},
    "runner": STORE | {"suite", "data", "models", "checks", "judges", "__init__"},
    "gate": STORE | {"stats"},
    "compare": STORE | {"stats", "gate"},
    "web": CORE,
    "review": STORE | {"stats", "gate", "web"},
    "history": STORE | {"stats", "gate"},
    "planning": STORE | {"suite", "judges", "runner", "stats", "gate", "history"},
    "report": STORE | {"stats", "gate", "planning", "compare"},
    "view": STORE | {"stats", "gate", "compare", "history", "report", "web"},
    "governance": STORE | {"stats", "gate", "__init__"},
    "importers": CORE | {"suite", "data", "checks"},
    "monitor": STORE | {"suite", "data", "checks", "stats", "governance"},
    "__init__": {"api", "runner", "suite", "testing", "history"},
    "datatests": STORE
    | {"suite", "data", "models", "checks", "runner", "stats", "gate", "planning", "review"}
    | {"history", "report"}
    | {"__init__"},
    "api": STORE
    | {"suite", "data", "models", "judges", "runner", "gate", "planning", "review", "history"}
    | {"compare", "report", "datatests", "governance", "monitor", "__init__"},
    "testing": STORE | {"api", "suite", "data", "models", "runner", "checks", "report"},
    "pytest_plugin": STORE | {"api", "testing", "suite", "data"},
    "__main__": {"cli"},
}
"""What each room may import beside itself. The order of the rows is the direction of the data."""


def imported(path: Path) -> set[str]:
    """The rooms of llmeval that a module imports, wherever in its text."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [node.module]
                if node.module != "llmeval"
                else [f"llmeval.{alias.name}" for alias in node.names]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "llmeval" and len(parts) > 1:
                rooms.add(
                    parts[1]
                    if (PACKAGE / parts[1]).exists() or (PACKAGE / f"{parts[1]}.py").exists()
                    else "__init__"
                )
    return rooms


MODULES = sorted(PACKAGE.rglob("*.py"))


@each_row("path", MODULES, ids=lambda path: path.relative_to(PACKAGE))
def test_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    room = relative.parts[0].removesuffix(".py")
    if room == "cli":
        return
    assert imported(path) <= ALLOWED[room] | {room}


@each_row("path", MODULES, ids=lambda path: path.relative_to(PACKAGE))
def test_modules_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_public_names_exist() -> None:
    import llmeval

    assert all(getattr(llmeval, name) is not None for name in llmeval.__all__)
    with pytest.raises(AttributeError):
        _ = llmeval.nothing_of_the_sort


def test_one_module_imports_ray() -> None:
    """Every other executor, and every test of one, works where Ray is not installed."""
    users = [
        path.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(a.name.split(".")[0] == "ray" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ray")
    ]
    assert set(users) == {"ray_cluster.py"}


def test_help_imports_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "datasets", "pandas", "openai", "aiohttp", "numpy"}
    code = f"import sys, llmeval.cli.app; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_picture_shows_every_room_above_what_it_imports(repository: Path) -> None:
    path = repository / "docs" / "rooms_picture.py"
    spec = importlib.util.spec_from_file_location("rooms_picture", path)
    assert spec is not None and spec.loader is not None
    drawn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawn)
    row = {room: n for n, (rooms, _) in enumerate(drawn.LAYERS) for room in rooms}
    assert set(row) == (set(ALLOWED) - {"__init__", "__main__"}) | {"cli"}
    for room, imports in ALLOWED.items():
        for other in imports - {"__init__"} if room in row else ():
            below = row[room] < row[other]
            assert below or (room, other) == ("pytest_plugin", "testing"), (room, other)
    assert drawn.IMAGE.read_text() == drawn.rooms_picture(), "run: python docs/generate.py"
