"""The careful readers, one per format.

In: a contract and the content of one file. Out: `FileRows`, batches of rows and rejects
in bounded memory. Plain CSV takes the fast path instead (`fast_path.py`).
"""

from collections.abc import Callable

from include.contracts import FeedContract, Format
from include.loading.batches import FileRows
from include.loading.csv_reader import read_csv
from include.loading.file_content import ByteSource
from include.loading.json_reader import read_json, read_jsonl
from include.loading.table_reader import read_parquet, read_xlsx

READERS: dict[Format, Callable[[FeedContract, ByteSource], FileRows]] = {
    "csv": read_csv,
    "json": read_json,
    "jsonl": read_jsonl,
    "xlsx": read_xlsx,
    "parquet": read_parquet,
}


def read_rows(contract: FeedContract, content: ByteSource) -> FileRows:
    """Read a file of a feed carefully.

    Raises FileProblem when the file as a whole cannot be read, also while its batches
    are read.
    """
    return READERS[contract.format](contract, content)
