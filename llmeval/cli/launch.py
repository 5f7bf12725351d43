"""`llmeval launch`: manifests that run a suite in shards on other systems."""

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmeval.cli.common import SuitePath

if TYPE_CHECKING:
    from llmeval.runner.launch import Launch

app = typer.Typer(
    help="Print manifests that run a suite in shards elsewhere (docs/scale.md). Nothing is sent.",
    no_args_is_help=True,
)
Shards = Annotated[
    int, typer.Option(help="Number of workers.", metavar="N", min=1, show_default=False)
]
Image = Annotated[
    str, typer.Option(help="The container image with llmeval and the suite.", show_default=False)
]
Volume = Annotated[str, typer.Option(help="The volume claim that all pods share.", metavar="CLAIM")]


@app.command()
def k8s(suite: SuitePath, shards: Shards, image: Image, volume: Volume = "llmeval-runs") -> int:
    """Print an indexed Job of Kubernetes, and a Job that decides.

    SUITE is the path in the container.
    """
    from llmeval.runner.launch import k8s as manifest

    print(manifest(_launch(suite, shards, image, volume)), end="")
    return 0


@app.command()
def slurm(suite: SuitePath, shards: Shards) -> int:
    """Print a script that submits a SLURM array, and a job that decides."""
    from llmeval.runner.launch import slurm as script

    print(script(_launch(suite, shards)), end="")
    return 0


@app.command()
def github(suite: SuitePath, shards: Shards) -> int:
    """Print a workflow of GitHub Actions: a matrix of shards, and a job that decides."""
    from llmeval.runner.launch import github as workflow

    print(workflow(_launch(suite, shards)), end="")
    return 0


def _launch(suite: Path, shards: int, image: str = "", volume: str = "") -> "Launch":
    from llmeval.runner.launch import Launch

    stem = re.sub(r"[^a-z0-9]+", "-", suite.stem.lower()).strip("-")[:30].strip("-")
    name = f"{stem or 'suite'}-{secrets.token_hex(3)}"
    return Launch(str(suite), shards, f"eval-{name}", image, volume)
