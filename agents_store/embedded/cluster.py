"""The database cluster in a data directory: made once, started when it is down, stopped by its last user.

Everything here blocks, within the bounds named below, and expects the caller to hold the start lock.
"""

import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from agents_store.embedded.account import ServiceAccount, require_user_entry
from agents_store.embedded.data_dir import open_private, rename_durably, write_private_file
from agents_store.embedded.installation import POSTGRES_MAJOR, find_programs
from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError

SUPERUSER = "postgres"
PORT = 5432  # part of the socket's name; nothing listens on any address
SOCKET = f".s.PGSQL.{PORT}"
_INIT_TIMEOUT_S = 60.0
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 20.0
_QUIT_TIMEOUT_S = 5.0
_POLL_S = 0.01
_RELAUNCH_S = 0.25
_LOG_BYTES_MAX = 1024 * 1024
_LOG_TAIL_BYTES = 2048
_SOCKET_PATH_BYTES_MAX = 107  # unix(7): sun_path is 108 bytes, one ends it

# Nothing but a password opens the database, whoever asks and however: no trust, no peer.
_HBA = b"local all all scram-sha-256\n"

# The socket's directory is relative to the cluster's, so that the data directory can be moved. Statements and the
# errors of clients stay out of the log: they may carry what users wrote, and hostile callers could fill a disk.
_SETTINGS = b"""\
listen_addresses = ''
port = 5432
unix_socket_directories = '../s'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = '128MB'
dynamic_shared_memory_type = posix
io_method = sync
max_wal_size = '512MB'
min_wal_size = '80MB'
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_min_messages = log
log_min_error_statement = panic
log_checkpoints = off
logging_collector = off
"""

# Nothing of the caller's environment reaches the database: no PG* variable, no secret.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Cluster:
    """One PostgreSQL cluster and its postmaster, under `home` and run by `account`."""

    def __init__(self, home: Path, account: ServiceAccount) -> None:
        self.sockets = home / "s"
        self._home = home
        self._account = account
        self._data = home / "postgres"
        self._pid_file = self._data / "postmaster.pid"
        self._log = home / "postgres.log"
        socket = self.sockets / SOCKET
        length = len(os.fsencode(socket))
        if length > _SOCKET_PATH_BYTES_MAX or "," in str(home):
            raise StoreMisconfiguredError(
                f"data directory {home}: the database's socket {socket} needs a path of at most "
                f"{_SOCKET_PATH_BYTES_MAX} bytes without a comma, this one has {length}: choose a shorter --data-dir"
            )

    @property
    def exists(self) -> bool:
        """Whether the cluster has been made."""
        return (self._data / "PG_VERSION").exists()

    def make(self, superuser_password: str) -> None:
        """Make the cluster unless it exists. One that a crash left half made is thrown away and made again.

        Raises:
            StoreMisconfiguredError: the cluster is of another major version, or the account has no name.
            StoreUnavailableError: initdb failed or took longer than 60 s; the message has its last lines.
        """
        for remains in self._home.glob("postgres.new.*"):
            shutil.rmtree(remains, ignore_errors=True)
        if self.exists:
            self._require_our_version()
            return
        require_user_entry(self._account)
        # Its own name each time: the initdb of a server that was killed may still be writing under another.
        draft = self._home / f"postgres.new.{secrets.token_hex(4)}"
        self._make_directory(draft)
        try:
            write_private_file(draft / "password", f"{superuser_password}\n".encode(), self._account)
            self._run_initdb(draft)
            self._configure(draft / "data")
            rename_durably(draft / "data", self._data)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def start(self) -> None:
        """Start the postmaster unless it answers already; recovers what a killed one left.

        Raises:
            StoreUnavailableError: it did not answer within 30 s or ended at once; the message has its last lines.
        """
        self._bound_log()
        log_start = self._log_size()
        deadline = time.monotonic() + _START_TIMEOUT_S
        # Only after a crash can the remains of another postmaster be in the way for a moment.
        crashed = self._pid_file.exists()
        process: subprocess.Popen[bytes] | None = None
        while not self._answers():
            if process is not None and process.poll() is not None:
                if not crashed and self.postmaster_pid() is None:
                    raise StoreUnavailableError(f"PostgreSQL ended at once: {self._log_tail(log_start)}")
                process = None
                time.sleep(_RELAUNCH_S)
            if time.monotonic() > deadline:
                raise StoreUnavailableError(
                    f"PostgreSQL does not answer within {_START_TIMEOUT_S:.0f} s "
                    f"(process {self.postmaster_pid()}): {self._log_tail(log_start)}"
                )
            if process is None and self.postmaster_pid() is None:
                process = self._launch()
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop the postmaster, if one runs: fast, and after 20 s without saving, which the next start makes good."""
        for stop_signal, timeout_s in ((signal.SIGINT, _STOP_TIMEOUT_S), (signal.SIGQUIT, _QUIT_TIMEOUT_S)):
            pid = self.postmaster_pid()
            if pid is None:
                return
            os.kill(pid, stop_signal)
            deadline = time.monotonic() + timeout_s
            while self.postmaster_pid() == pid and time.monotonic() < deadline:
                time.sleep(_POLL_S)

    def postmaster_pid(self) -> int | None:
        """The process id of this cluster's postmaster, None unless it is alive.

        The number in its file may be that of a process that merely got it later, the rule in a restarted container.
        """
        pid = _recorded_pid(self._pid_file)
        return pid if pid is not None and self._is_postmaster(pid) else None

    def _require_our_version(self) -> None:
        major = (self._data / "PG_VERSION").read_text().strip()
        if major != str(POSTGRES_MAJOR):
            raise StoreMisconfiguredError(
                f"{self._data} was made by PostgreSQL {major}, this release of Glovebox brings {POSTGRES_MAJOR}: "
                "use the release that made it, or dump and restore it"
            )

    def _make_directory(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        if not self._account.is_own:
            os.chown(directory, self._account.uid, self._account.gid, follow_symlinks=False)

    def _run_initdb(self, draft: Path) -> None:
        log_start = self._log_size()
        process = self._spawn(
            "initdb",
            f"--pgdata={draft / 'data'}",
            f"--username={SUPERUSER}",
            f"--pwfile={draft / 'password'}",
            "--auth-local=scram-sha-256",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        )
        try:
            status = process.wait(_INIT_TIMEOUT_S)
        except subprocess.TimeoutExpired as exc:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise StoreUnavailableError(f"initdb did not end within {_INIT_TIMEOUT_S:.0f} s") from exc
        if status != 0:
            raise StoreUnavailableError(f"initdb failed with status {status}: {self._log_tail(log_start)}")

    def _configure(self, data: Path) -> None:
        write_private_file(data / "pg_hba.conf", _HBA, self._account)
        write_private_file(data / "postgresql.conf", _SETTINGS, self._account)

    def _launch(self) -> subprocess.Popen[bytes]:
        self._make_directory(self.sockets)
        self._configure(self._data)  # a newer release may bring other settings
        self._discard_misleading_pids()
        process = self._spawn("postgres", "-D", str(self._data))
        # Somebody has to collect its exit status when it is killed: as a zombie it would still count as alive.
        threading.Thread(target=process.wait, name="postgres-reaper", daemon=True).start()
        return process

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, so that no terminal's signal reaches it, with nothing inherited."""
        executable = find_programs(self._home, self._account) / program
        log = open_private(self._log, os.O_WRONLY | os.O_APPEND, self._account)
        try:
            return subprocess.Popen(  # noqa: S603 - our own program and arguments
                [str(executable), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,
                umask=0o077,
                **self._account.spawn_identity(),
            )
        except OSError as exc:
            raise StoreMisconfiguredError(
                f"{executable} cannot be run as uid {self._account.uid}: {exc.strerror}"
            ) from exc
        finally:
            os.close(log)

    def _answers(self) -> bool:
        """Whether the postmaster takes connections. It is asked once its file says so: each refusal fills the log."""
        try:
            if b"ready" not in self._pid_file.read_bytes():
                return False
        except FileNotFoundError:
            return False
        conninfo = make_conninfo(
            host=str(self.sockets), port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=2
        )
        return pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK

    def _is_postmaster(self, pid: int) -> bool:
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return arguments[0].endswith(b"/postgres") and arguments[1:3] == [b"-D", os.fsencode(self._data)]

    def _discard_misleading_pids(self) -> None:
        """Remove what would keep PostgreSQL from starting though no postmaster of this cluster is alive.

        It refuses when the cluster's or the socket's lock file is empty, or has a number that is now another
        process's. Plainly dead ones it handles itself, and needs the cluster's to find out whether an orphaned
        backend still has the shared memory.
        """
        for lock_file in (self._pid_file, self.sockets / f"{SOCKET}.lock"):
            pid = _recorded_pid(lock_file)
            if pid is None or Path(f"/proc/{pid}").exists():
                lock_file.unlink(missing_ok=True)

    def _bound_log(self) -> None:
        if self._log_size() > _LOG_BYTES_MAX:
            log = open_private(self._log, os.O_WRONLY, self._account)
            try:
                os.ftruncate(log, 0)  # whoever writes it appends, so what follows starts at 0
            finally:
                os.close(log)

    def _log_size(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0

    def _log_tail(self, start: int) -> str:
        """The last lines that the log gained since it was `start` bytes long."""
        with self._log.open("rb") as file:
            file.seek(max(start, self._log_size() - _LOG_TAIL_BYTES))
            return file.read(_LOG_TAIL_BYTES).decode(errors="replace").strip() or "it logged nothing"


def _recorded_pid(lock_file: Path) -> int | None:
    try:
        with lock_file.open("rb") as file:
            return abs(int(file.readline(32)))  # negative: PostgreSQL in single-user mode
    except (FileNotFoundError, ValueError):
        return None
