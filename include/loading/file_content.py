"""A landed file's content: decompressed on the way, hashed as it is stored.

In: the stored bytes of a .gz, .xz, .zst, .zip or plain file. Out: a readable stream of
the content, and, once all of it was read, SHA-256 and size of what is stored. What
unpacks to far more than any export would is refused while it is read.
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
# Exports shrink to a fifth or a thirtieth; what unpacks to more than this is no export.
LARGEST_RATIO = 200
SMALLEST_BOMB_BYTES = 1 << 26
# An .xz file says how much memory its reader needs: xz -9 says 65 MiB.
XZ_MEMORY_BYTES = 1 << 27


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

    Raises FileProblem for a damaged or half-transferred file and for one that unpacks
    to far too much, also while it is read inside the block.
    """
    try:
        with _open_by_suffix(stored, path) as content:
            yield content if content is stored else _Unpacked(content, stored)
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
        yield _XzContent(stored)
    elif suffix == "zst":
        # pyarrow's decompressor says when the last frame is cut off.
        with pyarrow.CompressedInputStream(
            pyarrow.PythonFile(stored, mode="r"), "zstd"
        ) as content:
            yield content
    elif suffix == "zip":
        with spool(stored) as archive, _open_only_member(archive) as content:
            yield content
    else:
        yield stored


class _Unpacked:
    """Unpacked bytes, measured against the stored ones that they come from."""

    def __init__(self, content: ByteSource, stored: StoredBytes) -> None:
        self._content = content
        self._stored = stored
        self._bytes = 0

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes. Raises FileProblem when it is far too much."""
        data = self._content.read(size)
        self._bytes += len(data)
        refuse_bomb(self._bytes, self._stored.bytes)
        return data


class _XzContent:
    """The content of an .xz file: streams one after the other, in bounded memory.

    The standard library's file class sets no bound on memory, and ignores what follows
    a stream and is none.
    """

    def __init__(self, stored: StoredBytes) -> None:
        self._stored = stored
        self._decoder = self._begin_stream()

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, or raise LZMAError or EOFError."""
        while True:
            block = b""
            if self._decoder.eof:
                block = self._find_next_stream()
                if not block:
                    return b""
                self._decoder = self._begin_stream()
            elif self._decoder.needs_input:
                block = self._stored.read(CHUNK_BYTES)
                if not block:
                    raise EOFError("it ends before the end of its stream")
            if data := self._decoder.decompress(block, size):
                return data

    def _find_next_stream(self) -> bytes:
        """Return what follows a stream and the zeros that may fill up its end."""
        block = self._decoder.unused_data
        while not (found := block.lstrip(b"\0")):
            block = self._stored.read(CHUNK_BYTES)
            if not block:
                return b""
        return found

    @staticmethod
    def _begin_stream() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)


def refuse_bomb(unpacked_bytes: int, stored_bytes: int) -> None:
    """Raise FileProblem when `stored_bytes` cannot honestly hold `unpacked_bytes`."""
    if unpacked_bytes > max(SMALLEST_BOMB_BYTES, LARGEST_RATIO * stored_bytes):
        raise FileProblem(
            f"it unpacks to more than {LARGEST_RATIO} times its size, which no export"
            f" does ({stored_bytes:,} bytes became more than {unpacked_bytes:,})",
            "look into it; if it is right, put the unpacked file there",
        )


@contextmanager
def spool(source: ByteSource) -> Iterator[IO[bytes]]:
    """Copy a stream to a nameless file on disk, for formats that need to seek."""
    with tempfile.TemporaryFile() as file:
        while block := source.read(CHUNK_BYTES):
            write_scratch(file, block)
        write_scratch(file, b"", is_last=True)
        file.seek(0)
        yield file


def write_scratch(file: IO[bytes], data: bytes, *, is_last: bool = False) -> None:
    """Write to a file in the temporary folder. Raises FileProblem on a full disk."""
    try:
        file.write(data)
        if is_last:
            file.flush()
    except OSError as error:
        raise FileProblem(
            f"there is no room in {tempfile.gettempdir()} to unpack it ({error})",
            "free disk space there, or set TMPDIR to a folder that has it, then run"
            " this night again",
        ) from error


def _open_only_member(archive: IO[bytes]) -> IO[bytes]:
    try:
        zipped = zipfile.ZipFile(archive)
        return zipped.open(_find_only_member(zipped))
    except (NotImplementedError, ValueError) as error:
        # What zipfile says of compressions that it does not know and of damaged names.
        raise zipfile.BadZipFile(str(error)) from error


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
