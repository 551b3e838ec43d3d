"""What may lie in a local landing folder: files of its own, and links to such.

In: a batch's folder. Out: nothing, or the first thing in it that cannot be loaded as it
is; a listing would pass over some of them in silence, and follow others in circles.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FolderProblem:
    """Something that is no plain file: where it is, why not, what to do."""

    path: Path
    reason: str
    remedy: str


def find_problem(folder: Path, root: Path) -> FolderProblem | None:
    """Return what cannot be loaded below `folder`; hidden names are passed over."""
    # The folder itself, or one above it, may be a link too.
    if not folder.resolve().is_relative_to(root.resolve()):
        return FolderProblem(
            folder,
            "the folder is a link that leads out of the landing folder",
            "put the files themselves there",
        )
    for path in _walk(folder):
        if problem := _judge(path, root):
            return FolderProblem(path, *problem)
    return None


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            if not name.startswith((".", "_")):
                yield Path(place, name)


def _judge(path: Path, root: Path) -> tuple[str, str] | None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "the file's name is not UTF-8", "rename it"
    if path.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):
            return "the file is a link that leads nowhere", "put the file itself there"
        if not target.is_relative_to(root.resolve()):
            return (
                "the file is a link that leads out of the landing folder",
                "put the file itself there",
            )
        if target.is_dir():
            return "it is a link to a folder", "put the files themselves there"
    if not path.is_file() and not path.is_dir():
        return "it is no file", "remove it, or put a file there"
    return None
