"""The landing zone: an inbox that suppliers fill and an archive that keeps every delivered byte by its hash.

Both lie below one fsspec URL (`RSOKO_LANDING_URL`): a local folder by default, an S3-compatible store by another URL.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import yaml

from rsoko.base.errors import PermanentError
from rsoko.contracts.model import OPTIONS_SUFFIX

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Arrival:
    """One file that came: where it lies now, its name, hash, size, time of change and the options given with it."""

    path: Path
    file_name: str
    sha256: str
    byte_size: int
    modified_at: datetime
    options: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    """The last two folders above it, «4/Математика»: they may tell what the name does not."""


@dataclass(frozen=True)
class Landing:
    """Inbox and archive below one URL."""

    url: str

    def _open(self, *parts: str) -> tuple[Any, str]:
        fs, root = fsspec.core.url_to_fs(self.url)
        return fs, "/".join([root, *parts])

    def waiting(self, source: str) -> list[str]:
        """Inbox paths of `source`, without files that are still being written or belong to the office suite."""
        fs, folder = self._open("inbox", source)
        if not fs.exists(folder):
            return []
        return sorted(
            path
            for path in fs.find(folder)
            if not PurePosixPath(path).name.startswith((".", "~$"))
            and not path.endswith((".part", ".tmp", ".crdownload", OPTIONS_SUFFIX))
        )

    @contextmanager
    def fetch(self, path: str) -> Iterator[Arrival]:
        """A local copy of an inbox file with its options (`<file>.options.yml` beside it)."""
        fs, _ = self._open()
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / PurePosixPath(path).name
            fs.get_file(path, str(local))
            options: dict[str, str] = {}
            if fs.exists(path + OPTIONS_SUFFIX):
                options = {
                    str(k): str(v) for k, v in (yaml.safe_load(fs.cat_file(path + OPTIONS_SUFFIX)) or {}).items()
                }
            modified = fs.modified(path)
            arrived = arrival(local, options, modified.replace(tzinfo=modified.tzinfo or UTC))
            yield replace(arrived, folder=_folder(PurePosixPath(path)))

    def remove(self, path: str) -> None:
        """Take a received file out of the inbox; its bytes are in the archive."""
        fs, _ = self._open()
        fs.rm_file(path)
        if fs.exists(path + OPTIONS_SUFFIX):
            fs.rm_file(path + OPTIONS_SUFFIX)

    def deliver(self, source: str, file: Path, options: dict[str, str]) -> str:
        """Put a local file into the inbox of `source`; where its name is taken, into a folder named by its hash."""
        fs, folder = self._open("inbox", source)
        if fs.exists(f"{folder}/{file.name}"):
            folder = f"{folder}/{file_sha256(file)[:12]}"
        fs.makedirs(folder, exist_ok=True)
        target = f"{folder}/{file.name}"
        if options:
            fs.pipe_file(target + OPTIONS_SUFFIX, yaml.safe_dump(options, allow_unicode=True).encode())
        fs.put_file(str(file), target + ".part")
        if _is_local(fs):
            # Inside one batch the file changed last wins: a copy made now must not look changed now.
            shutil.copystat(file, target + ".part")
        fs.mv(target + ".part", target)
        return target

    def keep(self, arrived: Arrival) -> str:
        """Archive the bytes by their hash; the path below the landing URL. Bytes that are there already stay."""
        suffix = "".join(Path(arrived.file_name).suffixes[-2:]).lower()
        relative = f"archive/{arrived.sha256[:2]}/{arrived.sha256}{suffix if len(suffix) < 12 else ''}"
        fs, target = self._open(relative)
        if not (fs.exists(target) and fs.size(target) == arrived.byte_size):
            fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            fs.put_file(str(arrived.path), target)
        return relative

    @contextmanager
    def archived(self, relative: str, sha256: str) -> Iterator[Path]:
        """The archived bytes as a local file (in place where the store is local), checked against their hash."""
        fs, target = self._open(relative)
        if _is_local(fs):
            with _checked(Path(target), sha256):
                yield Path(target)
            return
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / PurePosixPath(target).name
            fs.get_file(target, str(local))
            with _checked(local, sha256):
                yield local


def arrival(path: Path, options: dict[str, str] | None = None, modified_at: datetime | None = None) -> Arrival:
    """Describe a local file."""
    stat = path.stat()
    return Arrival(
        path,
        path.name,
        file_sha256(path),
        stat.st_size,
        modified_at or datetime.fromtimestamp(stat.st_mtime, UTC),
        options or {},
        _folder(PurePosixPath(path.absolute().as_posix())),
    )


def _folder(path: PurePosixPath) -> str:
    return "/".join(path.parts[-3:-1])


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _is_local(fs: Any) -> bool:
    return "file" in ([fs.protocol] if isinstance(fs.protocol, str) else fs.protocol)


@contextmanager
def _checked(path: Path, sha256: str) -> Iterator[None]:
    """Hash the file while it is used; whoever used a damaged one is told before anything of it counts."""
    if not path.exists():
        raise PermanentError(f"archived file {path.name} is missing; restore it from a backup of the landing zone")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(file_sha256, path)
        try:
            yield
        finally:
            # Also when reading failed: damage in the archive is not the supplier's fault.
            if found.result() != sha256:
                raise PermanentError(
                    f"archived file {path.name} is damaged: sha256 is {found.result()}; restore it from a backup"
                )
