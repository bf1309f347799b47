"""Settings of one installation, all from environment variables (`docker/.env.example` lists them)."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rsoko.base.errors import PermanentError

OWNER, READER, ADMIN = "rsoko", "rsoko_reader", "postgres"
"""Roles: the owner of the warehouse, who is no superuser; those who ask it; the embedded server's administrator."""

PASSWORD_FILES = {OWNER: "password", READER: "reader.password", ADMIN: "admin.password"}


@dataclass(frozen=True)
class Settings:
    """One installation: where its state lies and which databases it uses.

    Args:
        home: absolute directory of all local state (`RSOKO_HOME`, default `./var`).
        region_code: code of the subject of the Russian Federation, 1–99 (`RSOKO_REGION`, default 99: the sample).
        landing_url: fsspec URL of the landing zone with `inbox/` and `archive/` (`RSOKO_LANDING_URL`,
            default `file://<home>/landing`; `s3://…` where s3fs is installed).
        user: who delivers, for the ledger (`RSOKO_USER`, default the login name).
        external_database_url: an existing PostgreSQL ≥ 15 for the warehouse (`RSOKO_DATABASE_URL`); None: embedded.
        external_reader_database_url: the same warehouse for those who only ask it (`RSOKO_READER_DATABASE_URL`, a login
            with the rights of role `rsoko_reader`); None: embedded, or the owner's login in that role.
        external_airflow_database_url: the same for Airflow's metadata (`RSOKO_AIRFLOW_DATABASE_URL`); None: embedded.
        build_timeout: longest time of one statement of a build, as PostgreSQL writes it (`RSOKO_BUILD_TIMEOUT`).
        given_pseudonym_key: secret of the keyed hashes (`RSOKO_PSEUDONYM_KEY`); None: a file made once in `home`.
    """

    home: Path
    region_code: int = 99
    landing_url: str = ""
    user: str = ""
    external_database_url: str | None = field(default=None, repr=False)
    external_reader_database_url: str | None = field(default=None, repr=False)
    external_airflow_database_url: str | None = field(default=None, repr=False)
    given_pseudonym_key: str | None = field(default=None, repr=False)
    build_timeout: str = "2h"

    def __post_init__(self) -> None:
        object.__setattr__(self, "home", self.home.absolute())
        if not self.landing_url:
            object.__setattr__(self, "landing_url", f"file://{self.home}/landing")
        if not self.user:
            object.__setattr__(self, "user", _login_name())

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings. Raises PermanentError for a region code that is not a number from 1 to 99."""
        region = environ.get("RSOKO_REGION") or "99"
        if not region.isdecimal() or not 1 <= int(region) <= 99:
            raise PermanentError(f"RSOKO_REGION must be a number from 1 to 99, not {region!r}")
        return cls(
            home=Path(environ.get("RSOKO_HOME") or "var"),
            region_code=int(region),
            landing_url=environ.get("RSOKO_LANDING_URL", ""),
            user=environ.get("RSOKO_USER", ""),
            external_database_url=environ.get("RSOKO_DATABASE_URL") or None,
            external_reader_database_url=environ.get("RSOKO_READER_DATABASE_URL") or None,
            external_airflow_database_url=environ.get("RSOKO_AIRFLOW_DATABASE_URL") or None,
            given_pseudonym_key=environ.get("RSOKO_PSEUDONYM_KEY") or None,
            build_timeout=environ.get("RSOKO_BUILD_TIMEOUT") or "2h",
        )

    @property
    def database_url(self) -> str:
        """libpq URL of the warehouse. The embedded server has one from its first start on."""
        return self.external_database_url or self.embedded_url("warehouse")

    @property
    def reader_url(self) -> str:
        """libpq URL of the warehouse for whoever only asks it: schemas `mart`, `core` and `meta`, nothing written.

        An external warehouse without a reader's login is asked by its owner in the reader's role; where there is no
        such role or the owner has it not, connecting fails.
        """
        if self.external_reader_database_url:
            return self.external_reader_database_url
        if self.external_database_url:
            joint = "&" if "?" in self.external_database_url else "?"
            return f"{self.external_database_url}{joint}options=-c%20role%3D{READER}"
        return self.embedded_url("warehouse", READER)

    @property
    def server_directory(self) -> Path:
        """Where the embedded server lies; `port` and the passwords beside its data tell how to reach it."""
        return self.home / "postgres"

    def embedded_url(self, database: str, role: str = OWNER) -> str:
        """libpq URL of a database of the embedded server. PermanentError when the server was never started."""
        try:
            password = (self.server_directory / PASSWORD_FILES[role]).read_text()
            port = int((self.server_directory / "port").read_text())
        except FileNotFoundError:
            raise PermanentError(f"no embedded PostgreSQL under {self.home} yet: run `rsoko up`") from None
        return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"

    @cached_property
    def pseudonym_key(self) -> bytes:
        """Secret of the keyed hashes. Losing it means that the same person gets another hash from then on."""
        if self.given_pseudonym_key:
            return self.given_pseudonym_key.encode()
        return secret(self.home / "secrets" / "pseudonym.key").encode()

    @property
    def gate_report(self) -> Path:
        """The page with the gate's results, rendered after each build of the marts."""
        return self.home / "reports" / "gate.html"

    def environ(self) -> dict[str, str]:
        """The variables that give a child process these same settings, whatever its working directory."""
        values = {
            "RSOKO_HOME": str(self.home),
            "RSOKO_REGION": str(self.region_code),
            "RSOKO_LANDING_URL": self.landing_url,
            "RSOKO_USER": self.user,
            "RSOKO_DATABASE_URL": self.external_database_url,
            "RSOKO_READER_DATABASE_URL": self.external_reader_database_url,
            "RSOKO_AIRFLOW_DATABASE_URL": self.external_airflow_database_url,
            "RSOKO_PSEUDONYM_KEY": self.given_pseudonym_key,
            "RSOKO_BUILD_TIMEOUT": self.build_timeout,
        }
        return {name: value for name, value in values.items() if value}


def private_folder(path: Path) -> Path:
    """The folder, made with those above it where there is none, each open to its owner only (mode 0700)."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    return path


def secret(path: Path) -> str:
    """The random secret kept in `path` (mode 0600), made when there is none, even by two processes at once."""
    if not path.exists():
        private_folder(path.parent)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
