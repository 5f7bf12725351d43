"""CSV as spreadsheets write it."""

from pathlib import Path

import pytest

from llmeval.core.errors import SuiteError
from llmeval.data.sources import open_source

ROWS = [
    {"id": "007", "q": "Größe?", "r": 'He said "x; y, z"'},
    {"id": "2", "q": "two\nlines", "r": "b"},
]
TEXT = 'id;q;r\r\n007;Größe?;"He said ""x; y, z"""\r\n2;"two\nlines";b\r\n'


def read(path: Path) -> list[dict[str, str]]:
    source = open_source(path.name, path.parent)
    return [source.row(index) for index in range(len(source))]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le bom", "utf-16-be bom"]
)
@pytest.mark.parametrize("delimiter", [";", "\t", "|", "sep=;"])
def test_delimiters_and_encodings(tmp_path: Path, name: str, encoding: str, delimiter: str) -> None:
    text = TEXT if "sep" in delimiter else TEXT.replace(";", delimiter, 3)
    text = f"sep=;\r\n{TEXT}" if "sep" in delimiter else TEXT
    if "sep" not in delimiter:
        text = text.replace("id;q;r", f"id{delimiter}q{delimiter}r").replace(
            "007;Größe?;", f"007{delimiter}Größe?{delimiter}"
        )
        text = text.replace('2;"two', f'2{delimiter}"two').replace(
            'lines";b', f'lines"{delimiter}b'
        )
    data = (
        ("\ufeff" + text).encode(encoding[:9].strip())
        if "bom" in encoding
        else text.encode(encoding)
    )
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path / name) == ROWS


def test_empty_rows_and_columns_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,q,,\n1,a,,\n,,,\n\n2,b,,,,\n")
    assert read(tmp_path / "t.csv") == [{"id": "1", "q": "a"}, {"id": "2", "q": "b"}]


def test_long_cells(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"id,q\n1,{'x' * 300_000}\n")
    assert len(read(tmp_path / "t.csv")[0]["q"]) == 300_000


@pytest.mark.parametrize(("data", "message"), [
    ("id;q\n1;Größe\n".encode("cp1252"), "t.csv: not UTF-8. Save it as"),
    (b"id,q\n1,a,b\n", "t.csv:2: 3 values for 2 columns"), (b"id,q,q\n1,a,b\n", "t.csv:1: a column name is given twice"),
    (b"id,q,\n1,a,b\n", "t.csv:2: 'b' is in a column without a name"),
])  # fmt: skip
def test_what_to_do_is_stated(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(SuiteError, match=message):
        read(tmp_path / "t.csv")
