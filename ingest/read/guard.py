"""What a file is before it is read as a table: packed data sound, within limits, not something else."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from ingest.read import limits
from ingest.read.spelling import RE_SAVE
from rsoko.base.errors import SupplierError

OLE, ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_OTHER = {
    b"%PDF": "документ PDF", b"Rar!": "архив RAR", b"7z\xbc\xaf": "архив 7z", b"{\\rt": "документ RTF",
    b"\x89PNG": "картинка", b"\xff\xd8\xff": "картинка",
}  # fmt: skip
_PARTS = {"word/": "документ Word", "ppt/": "презентация PowerPoint"}
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d+)"')
_FAR_COLUMN = re.compile(rb'\br="([A-Z]{3,}\d+)"')
_COLUMN = re.compile(rb'\br="([A-Z]+)\d')
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def look(path: Path, file_name: str) -> None:
    """Raises SupplierError when the file is no table or a table that no reader should open."""
    if file_name.startswith("~$"):
        raise _other(file_name, "временный файл, который Excel держит рядом с открытой книгой", "Пришлите саму книгу")
    with path.open("rb") as file:
        start = file.read(4)
        if start == OLE:
            _look_into_ole(file.read(8 << 20), file_name)
    if found := next((what for sign, what in _OTHER.items() if start.startswith(sign)), None):
        raise _other(file_name, found)
    if start == ZIP:
        _look_into_zip(path, file_name)


def _look_into_ole(data: bytes, file_name: str) -> None:
    def holds(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        raise SupplierError(
            f"Книга «{file_name}» закрыта паролем. Снимите пароль (Файл → Сведения → Защита книги) и пришлите ещё раз.",
            code="password",
        )
    if holds("WordDocument"):
        raise _other(file_name, "документ Word")
    if holds("PowerPoint Document"):
        raise _other(file_name, "презентация PowerPoint")


def _look_into_zip(path: Path, file_name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if found := next(
                (w for part, w in _PARTS.items() if any(_name(m).startswith(part) for m in members)), None
            ):
                raise _other(file_name, found)
            if not any(_name(member) in {"[content_types].xml", "content.xml"} for member in members):
                raise _other(file_name, "архив", "Распакуйте его и пришлите файлы по одному")
            size = sum(member.file_size for member in members)
            if size > limits.UNPACKED_BYTES:
                raise _too_large(file_name, f"в распакованном виде {size >> 20} МБ, допустимо", "1024 МБ")
            sheets = [member for member in members if _name(member).startswith("xl/worksheets/sheet")]
            if len(sheets) > limits.SHEETS:
                raise _too_large(file_name, f"листов {len(sheets)}, допустимо", str(limits.SHEETS))
            for member in members:
                # Reading a member to its end is what compares its checksum.
                data = archive.read(member)
                if _name(member).endswith((".xml", ".rels")) and _DTD.search(data, 0, 4096):
                    raise SupplierError(
                        f"В книге «{file_name}» есть объявления XML (DTD), которых Excel не пишет. {RE_SAVE}",
                        code="hostile_workbook",
                    )
                if member in sheets:
                    _look_at_sheet(data, file_name)
    except RuntimeError as error:
        raise SupplierError(
            f"Архив «{file_name}» закрыт паролем. Снимите пароль и пришлите ещё раз.", code="password"
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise SupplierError(
            f"Книга «{file_name}» не открывается: она повреждена или передана не полностью (контрольная сумма не "
            f"сходится, данные в ней могли измениться). {RE_SAVE}",
            code="broken_workbook",
        ) from error


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename.replace("\\", "/").lower()


def _look_at_sheet(data: bytes, file_name: str) -> None:
    """The reader holds every cell from the first to the last: one stray space in the last corner is a trillion."""
    rows = max((int(number) for number in _ROW.findall(data)), default=0)
    if rows * limits.COLUMNS <= limits.SHEET_CELLS and not (far := _FAR_COLUMN.search(data)):
        return
    if far := _FAR_COLUMN.search(data):
        raise _stray(file_name, far[1].decode())
    widest = max(_COLUMN.findall(data), key=lambda name: (len(name), name), default=b"A").decode()
    columns = 0
    for letter in widest:
        columns = columns * 26 + ord(letter) - 64
    if rows > limits.ROWS or rows * columns > limits.SHEET_CELLS:
        raise _stray(file_name, f"{widest}{rows}")


def _stray(file_name: str, cell: str) -> SupplierError:
    cells = f"{limits.SHEET_CELLS:_}".replace("_", " ")
    return SupplierError(
        f"В книге «{file_name}» лист заполнен до ячейки {cell}: это больше допустимого (столбцов {limits.COLUMNS}, "
        f"ячеек {cells} на листе). Обычно это случайный пробел или оформление далеко за таблицей: удалите пустые "
        "строки и столбцы справа и снизу от неё, сохраните и пришлите ещё раз.",
        code="over_limit",
    )


def _too_large(file_name: str, what: str, limit: str) -> SupplierError:
    return SupplierError(
        f"Файл «{file_name}» слишком велик: {what} {limit}. Разделите его и пришлите по частям.", code="over_limit"
    )


def _other(file_name: str, what: str, to_do: str = RE_SAVE) -> SupplierError:
    return SupplierError(f"«{file_name}» — {what}, а не таблица. {to_do.removesuffix('.')}.", code="not_a_table")
