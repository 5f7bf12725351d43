"""Run directories changed by tests, and made consistent again as if llmeval had written them so."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmeval.core.checksums import manifest_digest, sealed, unsealed
from llmeval.core.records import to_json
from llmeval.store.directory import RECORDS


def record_lines(records: Iterable[Any]) -> bytes:
    """Records, or dictionaries, as lines with their checksums."""
    return b"".join(sealed(to_json(record)) for record in records)


def seal(run: Path, **changes: Any) -> Path:
    """New checksums and digests for whatever is in the directory. `changes`: over the manifest's
    own keys.
    """
    manifest = {**json.loads((run / "manifest.json").read_text()), **changes}
    records = {}
    for name in RECORDS:
        path = run / name
        if path.exists():
            path.write_bytes(b"".join(_sealed(line) for line in path.read_bytes().splitlines()))
        content = path.read_bytes() if path.exists() else b""
        records[name] = {
            "lines": content.count(b"\n"),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    manifest.pop("records", None)
    if manifest["status"] != "running":
        manifest["records"] = records
    write_raw(run, manifest)
    return run


def write_raw(run: Path, manifest: dict[str, Any]) -> None:
    """`manifest.json` from plain JSON, whatever it holds, with the digest of its content."""
    content = {**manifest, "digest": manifest_digest(manifest)}
    (run / "manifest.json").write_text(json.dumps(content, indent=2, ensure_ascii=False))


def _sealed(line: bytes) -> bytes:
    return sealed(unsealed(line) if b',"checksum":"' in line[-40:] else line)
