"""The landing zone: which files a feed sent for a batch date, and their bytes.

In: a folder path or a file://, s3:// or gs:// address, laid out as
``<system>/<feed>/<YYYY-MM-DD>/<files>``. Out: `LandedFile` lists in one fixed order,
and open streams of what is stored, still compressed.
"""

import logging
import os
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pyarrow
from pyarrow import fs

from include.contracts import FeedContract
from include.errors import ExportError, MissingExportError, SettingsError
from include.loading.local_folder import find_problem

log = logging.getLogger(__name__)

DATE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}")
# How long a store may say nothing before it is asked again.
CONNECT_SECONDS, REQUEST_SECONDS = 10, 60
UNFINISHED_SUFFIXES = (".part", ".filepart", ".tmp", ".crdownload")


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file of a batch: its path below the landing zone, its stored size, and when
    it was last changed, in nanoseconds since 1970 (None where the store does not say).
    """

    path: str
    bytes: int
    modified_ns: int | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def batch_date(self) -> date:
        """The date of the folder that it lies in."""
        return date.fromisoformat(self.path.split("/")[2])


class Landing:
    """A landing zone.

    Raises SettingsError when the address is none, or names a kind that is not read.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._files, self._root = _find_file_system(url)
        except (ValueError, OSError) as error:
            raise SettingsError(
                f"CX_LANDING_URL is {url!r}, which cannot be read ({_words(error)}): "
                "set a folder, file://, s3:// or gs:// address."
            ) from error

    def list_files(self, contract: FeedContract, batch_date: date) -> list[LandedFile]:
        """List the files of a batch that the contract wants, sorted by path.

        Empty when the feed sent nothing. Raises MissingExportError when files are there
        and none is wanted, ExportError while one is still being written, and
        SettingsError when the landing zone itself is missing.
        """
        folder = f"{contract.source}/{contract.feed}/{batch_date.isoformat()}"
        self._check_local_folder(folder, contract, batch_date)
        wanted: list[LandedFile] = []
        unwanted: list[LandedFile] = []
        for info in self._list(folder, recursive=True):
            path = str(PurePosixPath(info.path).relative_to(self._root))
            name = path.rpartition("/")[2]
            if info.type != fs.FileType.File or name.startswith((".", "_")):
                continue
            if name.lower().endswith(UNFINISHED_SUFFIXES):
                raise ExportError(
                    contract.name,
                    batch_date,
                    "the file is still being written",
                    "wait until it has arrived, or remove it",
                    file=path,
                )
            file = LandedFile(path, info.size, info.mtime_ns)
            (wanted if contract.wants(path) else unwanted).append(file)
        names = ", ".join(sorted(file.name for file in unwanted))
        wanted_names = " or ".join(contract.paths)
        if unwanted and not wanted:
            raise MissingExportError(
                contract.name,
                batch_date,
                f"no file matches {wanted_names}, but there is {names}",
                "rename the files, or change path in the contract",
            )
        if unwanted:
            log.warning("%s does not match %s: not loaded", names, wanted_names)
        return sorted(wanted, key=lambda file: file.path)

    def list_batch_dates(self, contract: FeedContract) -> list[date]:
        """List the batch dates that have a folder for the feed, ascending."""
        folder = f"{contract.source}/{contract.feed}"
        names = (info.base_name for info in self._list(folder, recursive=False))
        dates = []
        for name in names:
            if not DATE_PATTERN.fullmatch(name):
                continue
            try:
                dates.append(date.fromisoformat(name))
            except ValueError:
                log.warning("%s/%s is no date: not loaded", folder, name)
        return sorted(dates)

    def open(self, file: LandedFile) -> pyarrow.NativeFile:
        """Open a file's stored bytes for reading from its beginning."""
        return self._files.open_input_stream(
            f"{self._root}/{file.path}", compression=None
        )

    def _list(self, folder: str, recursive: bool) -> list[fs.FileInfo]:
        selector = fs.FileSelector(
            f"{self._root}/{folder}", allow_not_found=True, recursive=recursive
        )
        try:
            found: list[fs.FileInfo] = self._files.get_file_info(selector)
            if not found:
                self._check_root()
        except OSError as error:
            raise SettingsError(
                f"The landing zone {self.url} cannot be listed ({_words(error)}): "
                "check CX_LANDING_URL, the credentials and the connection."
            ) from error
        return found

    def _check_root(self) -> None:
        info = self._files.get_file_info(self._root)
        # A bucket's prefix exists only through its objects: nothing there is no error.
        is_missing = info.type != fs.FileType.Directory
        if is_missing and isinstance(self._files, fs.LocalFileSystem):
            raise SettingsError(
                f"The landing folder {self._root} does not exist: create it, or set "
                "CX_LANDING_URL to the folder where the exports arrive."
            )

    def _check_local_folder(
        self, folder: str, contract: FeedContract, batch_date: date
    ) -> None:
        """Refuse what is no plain file: odd names, links that lead away, pipes."""
        if not isinstance(self._files, fs.LocalFileSystem):
            return
        root = Path(self._root)
        if problem := find_problem(root / folder, root):
            raise ExportError(
                contract.name,
                batch_date,
                problem.reason,
                problem.remedy,
                file=str(problem.path.relative_to(root)),
            )


def _find_file_system(url: str) -> tuple[fs.FileSystem, str]:
    """Return the file system of an address and the root's path in it."""
    scheme = urlsplit(url).scheme
    if scheme in ("", "file"):
        folder = unquote(urlsplit(url).path) if scheme else url
        return fs.LocalFileSystem(), str(Path(folder).expanduser().absolute())
    if scheme not in ("s3", "gs", "gcs"):
        raise ValueError(f"{scheme}:// is not read")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get(
        "AWS_ENDPOINT_URL"
    )
    if scheme == "s3" and endpoint:
        parts = urlsplit(url)
        store = fs.S3FileSystem(
            endpoint_override=urlsplit(endpoint).netloc or endpoint,
            scheme=urlsplit(endpoint).scheme or "https",
            region=os.environ.get("AWS_REGION")
            or os.environ.get("AWS_DEFAULT_REGION")
            or "us-east-1",
            connect_timeout=CONNECT_SECONDS,
            request_timeout=REQUEST_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=4),
        )
        return store, f"{parts.netloc}{parts.path}".rstrip("/")
    store, root = fs.FileSystem.from_uri(url)
    return store, root.rstrip("/")


def _words(error: BaseException) -> str:
    """Return an error's text in one line."""
    return " ".join(str(error).split())
