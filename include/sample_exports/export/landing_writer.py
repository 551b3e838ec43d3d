"""Files below a landing folder or bucket.

In: paths and bytes. Out: files, over pyarrow.fs, so that a folder and s3:// look alike.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import fs

from include.errors import SettingsError
from include.sample_exports.export.render import Text

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


@dataclass(frozen=True)
class Part:
    """Some rows of a night, rendered: rows [first, end) of `lines`."""

    lines: Lines
    first: int
    end: int
    is_last: bool

    def cut(self) -> memoryview:
        return self.lines.cut(self.first, self.end)


def render_nights(
    rows: pd.DataFrame,
    nights: range,
    render: Callable[[pd.DataFrame], Text],
    page_size: int | None = None,
) -> Iterator[tuple[int, Iterable[Part]]]:
    """Render rows in order of night, a block at a time.

    page_size : rows of a page, where pages begin with the last row of the one before

    Yields each night with its parts; take the parts before the next night. A night with
    more rows than a block has several parts, of whole pages; any other has one.
    """
    borders = np.searchsorted(
        rows["night"].to_numpy(), np.arange(nights.start, nights.stop + 1)
    )
    first = 0
    while first < len(nights):
        start = int(borders[first])
        end = int(np.searchsorted(borders, start + BLOCK_ROWS, side="right") - 1)
        end = min(max(end, first + 1), len(nights))
        block = rows.iloc[start : borders[end]]
        if len(block) > BLOCK_ROWS:
            yield nights[first], _render_long_night(block, render, page_size)
        else:
            lines = Lines(render(block))
            for place in range(first, end):
                cut = (int(borders[place] - start), int(borders[place + 1] - start))
                yield nights[place], [Part(lines, *cut, is_last=True)]
        first = end


def _render_long_night(
    rows: pd.DataFrame,
    render: Callable[[pd.DataFrame], Text],
    page_size: int | None,
) -> Iterator[Part]:
    overlap = 0 if page_size is None else 1
    page = 1 if page_size is None else page_size - 1
    step = max(BLOCK_ROWS // page, 1) * page
    for first in range(0, len(rows) - overlap, step):
        block = rows.iloc[first : first + step + overlap]
        is_last = first + len(block) == len(rows)
        yield Part(Lines(render(block)), 0, len(block), is_last)
