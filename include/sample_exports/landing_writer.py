"""Files below a landing folder or bucket.

In: paths and bytes. Out: files, over pyarrow.fs, so that a folder and s3:// look alike.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import fs

from include.errors import SettingsError
from include.sample_exports.render import Text

BLOCK_ROWS = 200_000  # rows whose text is in memory at a time


class LandingWriter:
    """Writes, reads and removes files below one landing address."""

    def __init__(self, landing: str) -> None:
        try:
            if "://" in landing:
                self._files, self._root = fs.FileSystem.from_uri(landing)
            else:
                folder = Path(landing).expanduser().absolute()
                self._files, self._root = fs.LocalFileSystem(), folder.as_posix()
        except (ValueError, OSError) as error:
            raise SettingsError(
                f"The sample cannot be written to {landing} ({error}): choose a folder "
                "or an address such as s3://bucket/prefix."
            ) from error
        self._root = self._root.rstrip("/")
        # Buckets have no folders, and a marker for each would be a file of its own.
        self._has_folders = isinstance(self._files, fs.LocalFileSystem)
        self._made: set[str] = set()

    def write(self, path: str, chunks: Iterable[bytes | memoryview]) -> None:
        """Write one file, and the folders above it where there are folders."""
        target = f"{self._root}/{path}"
        folder = target.rpartition("/")[0]
        if self._has_folders and folder not in self._made:
            self._files.create_dir(folder, recursive=True)
            self._made.add(folder)
        with self._files.open_output_stream(target) as stream:
            for chunk in chunks:
                stream.write(chunk)

    def read(self, path: str) -> bytes | None:
        """The content of one file, None where there is none."""
        target = f"{self._root}/{path}"
        if self._files.get_file_info(target).type != fs.FileType.File:
            return None
        with self._files.open_input_stream(target) as stream:
            content: bytes = stream.read()
        return content

    def list_folder(self, path: str) -> list[str]:
        """Names directly below a folder, none where it does not exist."""
        selector = fs.FileSelector(
            f"{self._root}/{path}".rstrip("/"), allow_not_found=True
        )
        return sorted(found.base_name for found in self._files.get_file_info(selector))

    def remove_folder(self, path: str) -> None:
        """Remove one folder and all below it."""
        self._files.delete_dir(f"{self._root}/{path}")
        self._made.clear()


def split_nights(
    rows: pd.DataFrame, nights: int
) -> Iterator[tuple[pd.DataFrame, list[tuple[int, int, int]]]]:
    """Cut rows in order of night into blocks of whole nights.

    Yields the rows of a block and (night, first row, end row) for each of its nights; a
    night without rows has an empty range.
    """
    borders = np.searchsorted(rows["night"].to_numpy(), np.arange(nights + 1))
    first = 0
    while first < nights:
        end = int(
            np.searchsorted(borders, borders[first] + BLOCK_ROWS, side="right") - 1
        )
        end = min(max(end, first + 1), nights)
        start = borders[first]
        yield (
            rows.iloc[start : borders[end]],
            [
                (night, int(borders[night] - start), int(borders[night + 1] - start))
                for night in range(first, end)
            ],
        )
        first = end


class Lines:
    """Lines of text as one buffer, to be cut by row numbers without a copy."""

    def __init__(self, text: Text) -> None:
        text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
        _, offsets, content = text.buffers()
        self._offsets = np.frombuffer(offsets, dtype=np.int32)[text.offset :]
        self._content = memoryview(content or b"")

    def cut(self, first: int, end: int) -> memoryview:
        """The bytes of rows [first, end)."""
        return self._content[int(self._offsets[first]) : int(self._offsets[end])]
