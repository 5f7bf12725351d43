"""How long `report.html` takes to write, how much memory, and how large it gets.

    python benchmarks/report.py [ROWS] [--baseline] [--embed all] [--keep DIR]

Rows are synthetic, 2 kB of JSON each and as much again for the baseline, and repeat themselves:
real ones compress less. The peak is that of a process that only imports llmeval and writes the
page, minus what the imports take. Seconds of one core say more than wall seconds where others use
the machine.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Make the runs, then measure in a fresh process."""
    parser = argparse.ArgumentParser(description="Measure the writing of report.html")
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--embed", choices=["default", "all"], default="default")
    parser.add_argument("--keep", type=Path, help="keep the runs and the report here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder)
        _make(root, options.rows)
        arguments = [
            str(root / "run"),
            str(root / "report.html"),
            str(root / "before") if options.baseline else "",
            options.embed,
        ]
        done = subprocess.run(
            [sys.executable, __file__, "--measure", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        figures = json.loads(done.stdout)
    size = figures["bytes"] / 1e6
    print(
        f"{options.rows:,} rows, embed {options.embed}, baseline {'yes' if options.baseline else 'no'}"
    )
    memory = f"+{figures['grown_mib']:.0f} MiB over {figures['start_mib']:.0f} MiB"
    print(
        f"{figures['seconds']:.1f} s ({figures['cpu']:.1f} s of one core), {memory}, file {size:.1f} MB"
    )


def _make(root: Path, rows: int) -> None:
    from tests.report.html_samples import sample_run

    for name, quality in (("run", 0.72), ("before", 0.8)):
        if not (root / name / "manifest.json").exists():
            sample_run(
                root / name,
                rows,
                quality=quality,
                hostile=name == "run",
                run_id=f"20260101T000000Z-{name}",
            )


def measure(run: str, page: str, baseline: str, embed: str) -> None:
    """Write the page; print seconds and memory as JSON."""
    from llmeval.report.html import write_html
    from llmeval.store.directory import RunDir

    start = _peak()
    began, used = time.perf_counter(), time.process_time()
    write_html(
        RunDir(run), Path(page), baseline=RunDir(baseline) if baseline else None, embed=embed
    )  # type: ignore[arg-type]
    seconds, used = time.perf_counter() - began, time.process_time() - used
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": used,
                "start_mib": start,
                "grown_mib": _peak() - start,
                "bytes": Path(page).stat().st_size,
            }
        )
    )


def _peak() -> float:
    """MiB. Of this program alone where the system says so: `ru_maxrss` outlives exec and would show
    the parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if "--measure" in sys.argv:
        measure(*sys.argv[2:])
    else:
        main()
