"""What may be delivered: regular files with names that can be written down. The rest is told and left where it is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import yaml

from rsoko.base.errors import SupplierError
from rsoko.contracts.model import OPTIONS_SUFFIX

OPTIONS_BYTES = 16_384
_KINDS = {stat.S_IFDIR: "папка", stat.S_IFLNK: "ссылка", stat.S_IFIFO: "канал", stat.S_IFSOCK: "сокет"}


def is_left_alone(name: str) -> bool:
    """Whether the file is still being written, belongs to the office suite or goes with another one."""
    return name.startswith((".", "~$")) or name.endswith((".part", ".tmp", ".crdownload", OPTIONS_SUFFIX))


def walk(folder: Path) -> Iterator[Path]:
    """Whatever lies below the folder, in order of name: files, and what is none. Links are not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (PermissionError, NotADirectoryError):
        yield folder
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path))
        else:
            yield Path(entry.path)


def shown(path: Path) -> str:
    """The file's name as text, whatever bytes it is made of."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def open_file(path: Path) -> BinaryIO:
    """A file to be delivered, opened: never what a link leads to. SupplierError says what it is instead."""
    try:
        "/".join(path.parts[-3:]).encode()
    except UnicodeEncodeError:
        raise _unfit(path, "имя файла или папки записано не в UTF-8", "Переименуйте") from None
    try:
        # Not to wait for somebody to write into a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise _unfit(path, "исчез, пока его принимали", "Положите снова") from error
    except OSError as error:
        kind = stat.S_IFMT(path.lstat().st_mode)
        if kind == stat.S_IFREG or error.errno not in {errno.ELOOP, errno.ENXIO}:
            raise _unfit(path, f"не читается ({error.strerror})", "Исправьте права") from error
        raise _unfit(path, f"это {_KINDS.get(kind, 'устройство')}, а не файл", "Положите сам файл") from error
    kind = stat.S_IFMT(os.fstat(handle).st_mode)
    if kind == stat.S_IFREG:
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise _unfit(path, f"это {_KINDS.get(kind, 'устройство')}, а не файл", "Положите сам файл")


def _unfit(path: Path, what: str, to_do: str) -> SupplierError:
    return SupplierError(f"«{shown(path)}» не принят: {what}. {to_do} и доставьте ещё раз.", code="unfit_entry")


class _Plain(yaml.SafeLoader):
    """Without aliases, by which some hundred bytes expand for ever."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("ссылки (*) не поддерживаются")
        return super().compose_node(parent, index)


def parse_options(data: bytes, file_name: str) -> dict[str, str]:
    """Options that a supplier put into `<file>.options.yml`. Raises SupplierError when they are no plain list."""
    try:
        if len(data) > OPTIONS_BYTES:
            raise ValueError(f"больше {OPTIONS_BYTES} байт")
        given = yaml.load(data, _Plain) or {}
        if not isinstance(given, dict) or not all(map(_is_plain, [*given, *given.values()])):
            raise ValueError("есть не только строки вида «имя: значение»")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SupplierError(
            f"«{file_name}{OPTIONS_SUFFIX}» не читается: {' '.join(str(error).split())[:200]}. Нужны строки вида "
            "«year: 2024»; исправьте его и доставьте файл ещё раз.",
            code="bad_options",
        ) from error
    options = {str(name): str(value) for name, value in given.items()}
    check_options(options)
    return options


def check_options(options: dict[str, str]) -> None:
    """Raises SupplierError when an option that every source knows is none."""
    region = options.get("region_code", "99")
    if not (region.isdecimal() and 1 <= int(region) <= 99):
        raise SupplierError(f"Код региона — число от 1 до 99, а указано «{region}».", code="bad_options")


def _is_plain(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list | set | tuple | bytes) and str(value).isprintable()
