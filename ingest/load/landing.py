"""The landing zone: an inbox that suppliers fill and an archive that keeps every delivered byte by its hash.

Both lie below one fsspec URL (`RSOKO_LANDING_URL`): a local folder by default, an S3-compatible store by another URL.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import fsspec
import yaml

from ingest.load.entries import OPTIONS_BYTES, is_left_alone, open_file, parse_options, walk
from rsoko.base.errors import PermanentError, RsokoError, SupplierError, TransientError
from rsoko.base.settings import private_folder
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
    """Inbox and archive below one URL.

    A full disk and a store that does not answer are TransientError, one that is closed to us is PermanentError, what
    cannot be delivered SupplierError: the messages are Russian and say what to do.
    """

    url: str

    def _open(self, *parts: str) -> tuple[Any, str]:
        fs, root = fsspec.core.url_to_fs(self.url)
        return fs, "/".join([root, *parts])

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise SupplierError(f"Файл исчез, пока его принимали: {error.filename or error}.", code="gone") from error
        except OSError as error:
            raise _fault(error, self.url) from error

    def waiting(self, source: str) -> list[str]:
        """Inbox paths of `source`, without files that are still being written or belong to the office suite.

        On a local disk also links, pipes and the like, which `fetch` refuses.
        """
        fs, folder = self._open("inbox", source)
        with self._reached():
            if os.path.islink(folder) and _is_local(fs):
                found = [folder]
            elif _is_local(fs):
                found = [str(path) for path in walk(Path(folder))] if os.path.exists(folder) else []
            else:
                found = fs.find(folder) if fs.exists(folder) else []
        return sorted(path for path in found if not is_left_alone(PurePosixPath(path).name))

    @contextmanager
    def fetch(self, path: str) -> Iterator[Arrival]:
        """A local copy of an inbox file with its options (`<file>.options.yml` beside it)."""
        fs, _ = self._open()
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / PurePosixPath(path).name
            with self._reached():
                if _is_local(fs):
                    with open_file(Path(path)) as file, local.open("xb") as copy:
                        shutil.copyfileobj(file, copy, _BLOCK)
                        modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                else:
                    fs.get_file(path, str(local))
                    modified = fs.modified(path)
                options = self._options(path)
            arrived = arrival(local, options, modified.replace(tzinfo=modified.tzinfo or UTC))
            yield replace(arrived, folder=_folder(PurePosixPath(path)))

    def examine(self, path: str) -> None:
        """Raises the SupplierError with which `fetch` would refuse what lies there."""
        fs, _ = self._open()
        with self._reached():
            if _is_local(fs):
                open_file(Path(path)).close()
            self._options(path)

    def _options(self, path: str) -> dict[str, str]:
        fs, _ = self._open()
        if _is_local(fs):
            return options_beside(Path(path))
        if not fs.exists(path + OPTIONS_SUFFIX):
            return {}
        return parse_options(fs.cat_file(path + OPTIONS_SUFFIX, 0, OPTIONS_BYTES + 1), PurePosixPath(path).name)

    def remove(self, path: str) -> None:
        """Take a received file out of the inbox; its bytes are in the archive."""
        fs, _ = self._open()
        with self._reached():
            fs.rm_file(path)
            if fs.exists(path + OPTIONS_SUFFIX):
                fs.rm_file(path + OPTIONS_SUFFIX)

    def deliver(self, source: str, file: Path, options: dict[str, str]) -> str:
        """Put a local file into the inbox of `source`; where its name is taken, into a folder named by its hash."""
        arrived = arrival(file)
        fs, folder = self._open("inbox", source)
        with self._reached():
            if fs.exists(f"{folder}/{file.name}"):
                folder = f"{folder}/{arrived.sha256[:12]}"
            target = f"{folder}/{file.name}"
            if options:
                text = yaml.safe_dump(options, allow_unicode=True).encode()
                _store(fs, io.BytesIO(text), target + OPTIONS_SUFFIX)
            with open_file(file) as data:
                # Inside one batch the file changed last wins: a copy made now must not look changed now.
                _store(fs, data, target, modified_at=arrived.modified_at)
        return target

    def keep(self, arrived: Arrival) -> str:
        """Archive the bytes by their hash; the path below the landing URL. Bytes that are there already stay."""
        suffix = "".join(Path(arrived.file_name).suffixes[-2:]).lower()
        relative = f"archive/{arrived.sha256[:2]}/{arrived.sha256}{suffix if len(suffix) < 12 else ''}"
        self.mend(relative, arrived)
        return relative

    def mend(self, relative: str, arrived: Arrival) -> bool:
        """Make the archived file hold the bytes that came; whether it was missing or held others."""
        fs, target = self._open(relative)
        with self._reached():
            try:
                with fs.open(target, "rb") as file:
                    if _sha256(file) == arrived.sha256:
                        return False
            except FileNotFoundError:
                pass
            with open_file(arrived.path) as data:
                _store(fs, data, target, sha256=arrived.sha256)
        return True

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
    """Describe a local file. Raises SupplierError when it is none."""
    with open_file(path) as file:
        found = os.fstat(file.fileno())
        sha256 = _sha256(file)
    return Arrival(
        path,
        path.name,
        sha256,
        found.st_size,
        modified_at or datetime.fromtimestamp(found.st_mtime, UTC),
        options or {},
        _folder(PurePosixPath(path.absolute().as_posix())),
    )


def options_beside(path: Path) -> dict[str, str]:
    """Options a supplier put into `<file>.options.yml`; none when there is no such file."""
    options = path.with_name(path.name + OPTIONS_SUFFIX)
    if not os.path.lexists(options):
        return {}
    with open_file(options) as file:
        return parse_options(file.read(OPTIONS_BYTES + 1), path.name)


def _folder(path: PurePosixPath) -> str:
    return "/".join(path.parts[-3:-1])


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return _sha256(file)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _store(
    fs: Any, data: BinaryIO, target: str, *, modified_at: datetime | None = None, sha256: str | None = None
) -> None:
    """Write the data whole or not at all; what fails leaves what was there. A local file is its owner's alone."""
    if not _is_local(fs):
        # An object comes into being when it is whole; a file of another store is renamed then.
        fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        with tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(data, copy, _BLOCK)
            copy.flush()
            fs.put_file(copy.name, f"{target}.part")
        fs.mv(f"{target}.part", target)
        return
    folder = private_folder(Path(target).parent)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as draft:
        try:
            shutil.copyfileobj(data, draft, _BLOCK)
            draft.flush()
            os.fsync(draft.fileno())  # the inbox gives up its copy once this one is there
            if sha256 and file_sha256(Path(draft.name)) != sha256:
                raise SupplierError("Файл меняется, пока его принимают. Доставьте его, когда он будет готов.")
            if modified_at:
                os.utime(draft.name, (modified_at.timestamp(), modified_at.timestamp()))
            os.replace(draft.name, target)
        except BaseException:
            os.unlink(draft.name)
            raise


_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}


def _fault(error: OSError, url: str) -> RsokoError:
    if error.errno in _FULL:
        return TransientError(
            f"В зоне приёма {url} кончилось место. Освободите место на диске и повторите; файл остался, где был."
        )
    if error.errno in _CLOSED:
        return PermanentError(
            f"В зону приёма {url} нельзя писать ({error.strerror}: {error.filename}). Исправьте права или "
            "RSOKO_LANDING_URL и повторите; файл остался, где был."
        )
    return TransientError(f"Зона приёма {url} не отвечает ({error}). Повторите позже; файл остался, где был.")


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
