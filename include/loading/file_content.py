"""A landed file's content: decompressed on the way, hashed as it is stored.

In: the stored bytes of a .gz, .xz, .zst, .zip or plain file. Out: a readable stream of
the content, and, once all of it was read, SHA-256 and size of what is stored.
"""

import gzip
import hashlib
import io
import lzma
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Protocol, cast

import pyarrow

# Measured: larger pieces are given back to the system and fetched anew each time, which
# costs a third more; smaller ones cost calls.
CHUNK_BYTES = 1 << 19

COMPRESSED_SUFFIXES = (".gz", ".xz", ".zst", ".zip")

# What a decompressor raises for a damaged or half-transferred file.
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


class FileProblem(Exception):
    """A whole file cannot be read; the loader adds feed, date and file name.

    `row` is the record at which it happened, where there is one.
    """

    def __init__(self, reason: str, remedy: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.row = row


class ByteSource(Protocol):
    """Anything with read(size)."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; nothing at the end."""


class StoredBytes(io.RawIOBase):
    """The stored bytes of a file, hashed and counted as they are read."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self.bytes = 0

    def readable(self) -> bool:
        """Tell the io module that this is for reading."""
        return True

    def readinto(self, target: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill `target` from the source."""
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes. Raises FileProblem when the storage fails."""
        try:
            data = self._source.read(CHUNK_BYTES if size < 0 else size)
        except OSError as error:
            raise FileProblem(
                f"the storage broke off while the file was read ({error})",
                "run the load again; check the connection when it happens again",
            ) from error
        self._hash.update(data)
        self.bytes += len(data)
        return data

    def finish(self) -> str:
        """Read what is left and return the SHA-256 of everything, in hexadecimal."""
        while self.read(CHUNK_BYTES):
            pass
        return self._hash.hexdigest()


@contextmanager
def open_content(stored: StoredBytes, path: str) -> Iterator[ByteSource]:
    """Open the decompressed content of a file; its name's last suffix says how.

    Raises FileProblem for a damaged or half-transferred file, also while it is read
    inside the block.
    """
    try:
        with _open_by_suffix(stored, path) as content:
            yield content
    except DAMAGE as error:
        raise FileProblem(
            f"the file cannot be read to its end ({error})",
            "transfer it again, or export it again",
        ) from error


@contextmanager
def _open_by_suffix(stored: StoredBytes, path: str) -> Iterator[ByteSource]:
    suffix = path.rpartition(".")[2].lower()
    if suffix == "gz":
        with gzip.open(cast("IO[bytes]", stored)) as content:
            yield content
    elif suffix == "xz":
        with lzma.LZMAFile(io.BufferedReader(stored, CHUNK_BYTES)) as content:
            yield content
    elif suffix == "zst":
        # pyarrow's decompressor says when the last frame is cut off.
        with pyarrow.CompressedInputStream(
            pyarrow.PythonFile(stored, mode="r"), "zstd"
        ) as content:
            yield content
    elif suffix == "zip":
        with (
            spool(stored) as archive,
            zipfile.ZipFile(archive) as zipped,
            zipped.open(_find_only_member(zipped)) as content,
        ):
            yield content
    else:
        yield stored


@contextmanager
def spool(source: ByteSource) -> Iterator[IO[bytes]]:
    """Copy a stream to a nameless file on disk, for formats that need to seek."""
    with tempfile.TemporaryFile() as file:
        while block := source.read(CHUNK_BYTES):
            file.write(block)
        file.seek(0)
        yield file


def _find_only_member(zipped: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in zipped.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        raise FileProblem(
            f"the archive holds {len(members)} files where one is expected",
            "put each file into the landing folder by itself",
        )
    name = PurePosixPath(members[0].filename.replace("\\", "/"))
    kind = members[0].external_attr >> 16
    # Its bytes are read and nothing is unpacked; but a sender of such things is not one
    # to take data from.
    if name.is_absolute() or ".." in name.parts or stat.S_ISLNK(kind):
        raise FileProblem(
            "the archive holds a link, or a path that leads out of it",
            "find out who made it, and have the file exported again",
        )
    if members[0].flag_bits & 0x1:
        raise FileProblem(
            "the archive is protected by a password", "put it there without one"
        )
    return members[0]
