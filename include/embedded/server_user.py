"""Whose rights the embedded PostgreSQL has: it refuses to run as root.

Started by an ordinary user, it runs as that user. Started by root, it runs as an
ordinary user of its own, and its files must lie where that user may go.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from include.errors import WarehouseError

USER_NAME = "cx-warehouse"
# For a clone that others may not enter, such as one below /root.
FALLBACK_FOLDER = Path("/var/lib/cx-warehouse")


class ProcessRights(TypedDict, total=False):
    """The arguments of `subprocess` that say whose rights a child has."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServerUser:
    """An ordinary user to run a server as."""

    user_id: int
    group_id: int

    @property
    def rights(self) -> ProcessRights:
        """What to hand to `subprocess` so that the child runs as this user."""
        if os.geteuid() == self.user_id:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def can_enter(self, path: Path) -> bool:
        """Tell whether this user may enter the folder or run the program `path`."""
        return (
            subprocess.run(
                ["test", "-x", path], cwd="/", check=False, **self.rights
            ).returncode
            == 0
        )


def find_server_user() -> ServerUser:
    """Return the user at work; for root an ordinary one, created when missing."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(USER_NAME)
    except KeyError:
        entry = _create_user()
    return ServerUser(entry.pw_uid, entry.pw_gid)


def find_reachable_folder(folder: Path, user: ServerUser) -> Path:
    """Return `folder` when the user may enter it, else one of its own under /var/lib.

    `folder` must exist. The other folder belongs to this path alone.
    """
    if user.can_enter(folder):
        return folder
    key = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:12]
    elsewhere = FALLBACK_FOLDER / key
    elsewhere.mkdir(parents=True, exist_ok=True, mode=0o755)
    return elsewhere


def copy_programs(programs: Path, libraries: Path, target: Path) -> Path:
    """Copy programs to `target`, with the libraries that they expect beside them.

    Returns the copy of `programs`. A copy that is there is kept; a new one appears at
    once whole.
    """
    copied = target / programs.parent.name / programs.name
    if not target.exists():
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(programs, partial / copied.relative_to(target), symlinks=True)
        shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        partial.rename(target)
    return copied


def _create_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", USER_NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        # Two servers that start at once on a new machine: the other one made it.
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(USER_NAME)
        raise WarehouseError(
            "PostgreSQL refuses to run as root, and the user "
            f"{USER_NAME} could not be created ({error}): run make as an ordinary user."
        ) from error
    return pwd.getpwnam(USER_NAME)
