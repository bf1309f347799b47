"""Readers: bytes of a delivery → blocks of text cells under canonical column names.

A file holds one or more blocks (several exams on a sheet, several sheets). The header row is found by its content and
not by its number, because every system puts something else above it. Memory is bounded by the batch for csv and by the
sheet for workbooks.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO

import fastexcel
import polars as pl

from ingest.contract import Contract, Layout, contracts, fold
from ingest.errors import SupplierError

CHUNK_BYTES = 4 << 20
_BLOCK_BYTES = 32 << 10  # memory of small blocks is used again; large ones are given back and asked for each time
SAMPLE_BYTES = 256 << 10
HEADER_ROWS = 30
_EXCEL_SUFFIXES = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
_OLE, _ZIP, _GZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"\x1f\x8b"
_RE_SAVE = "Сохраните файл заново в Excel как «Книга Excel (.xlsx)» или «CSV UTF-8» и пришлите ещё раз."


@dataclass(frozen=True)
class ItemColumn:
    """One item of a work as a layout names it: `position` among the items, label, maximum where the header tells it."""

    position: int
    label: str
    max_score: int | None = None
    text: str | None = None
    kind: str | None = None


@dataclass
class Note:
    """Something to tell the supplier that is not an error: code, Russian message, place."""

    code: str
    message: str
    row: int | None = None


@dataclass
class Block:
    """Rows under one header. Batches hold text columns under canonical names, `item_…` by position, and `row_no`."""

    layout: Layout
    sheet: str | None
    context: dict[str, str]
    items: list[ItemColumn]
    batches: Iterator[pl.DataFrame]
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class _Match:
    """A header row recognised: which file column feeds which canonical columns."""

    contract: Contract
    layout: Layout
    columns: dict[str, int]
    items: list[tuple[int, ItemColumn]]
    unknown: list[str]
    unnamed: list[int] = field(default_factory=list)


# --- headers ---------------------------------------------------------------------------------------------------------


def match_header(cells: list[str], contract: Contract) -> _Match | None:
    """The layout of `contract` that reads this header row best, or None."""
    folded = [fold(cell) for cell in cells]
    where: dict[str, int] = {}
    for index, name in enumerate(folded):
        where.setdefault(name, index)
    best: _Match | None = None
    for layout in contract.layouts:
        columns = {}
        for name, aliases in layout.header.items():
            found = [where[fold(alias)] for alias in aliases if fold(alias) in where]
            if found:
                columns[name] = found[0]
        if not columns or any(name not in columns for name in layout.required):
            continue
        # Of a template a supplier may leave columns out; what is left must be known by half.
        if layout.id == "template" and len(columns) * 2 < min(len(layout.header), sum(map(bool, folded))):
            continue
        items, used = _items(cells, folded, layout, set(columns.values()))
        if contract.items and layout.items and not items and layout.id != "template":
            continue
        known = used | {fold(name) for name in layout.ignore}
        unknown = [] if layout.ignore_other else [c for c, f in zip(cells, folded, strict=True) if f and f not in known]
        unnamed = [index for index, name in enumerate(folded) if not name] if layout.spills else []
        match = _Match(contract, layout, columns, items, unknown, unnamed)
        if best is None or (len(columns), -len(unknown)) > (len(best.columns), -len(best.unknown)):
            best = match
    return best


def _items(
    cells: list[str], folded: list[str], layout: Layout, taken: set[int]
) -> tuple[list[tuple[int, ItemColumn]], set[str]]:
    used = {folded[index] for index in taken}
    if layout.items is None:
        return [], used
    end = next((i for i, name in enumerate(folded) if layout.items_end and name == fold(layout.items_end)), len(cells))
    items: list[tuple[int, ItemColumn]] = []
    for index, cell in enumerate(cells):
        found = layout.items.match(_clean(cell))
        if not found or index in taken:
            continue
        used.add(folded[index])
        if index > end:
            continue
        groups = found.groupdict()
        label = re.sub(r"\s+", "", groups.get("label") or groups.get("no") or "").replace("K", "К")
        maximum = int(groups["max"]) if groups.get("max") else None
        items.append((index, ItemColumn(len(items) + 1, label, maximum, groups.get("text"))))
    if layout.items_end:
        used.add(fold(layout.items_end))
    return items, used


def _clean(cell: str) -> str:
    return re.sub(r"[\s\u00a0]+", " ", cell).strip()


def _find_header(rows: list[list[str]], contract: Contract, start: int = 0) -> tuple[int, _Match] | None:
    for index in range(start, len(rows)):
        if sum(1 for cell in rows[index] if cell) >= 2 and (match := match_header(rows[index], contract)):
            return index, match
    return _headless(rows, contract) if start == 0 else None


def _headless(rows: list[list[str]], contract: Contract) -> tuple[int, _Match] | None:
    """A table that starts with its data: the cells of the first row look like a layout says. Its header is row -1."""
    first = rows[0] if rows else []
    for layout in contract.layouts:
        if (
            layout.first_row
            and len(first) == len(layout.first_row)
            and all(looks.search(cell) for looks, cell in zip(layout.first_row.values(), first, strict=True))
        ):
            columns = {name: index for index, name in enumerate(layout.first_row)}
            return -1, _Match(contract, layout, columns, [], [])
    return None


def _no_header(rows: list[list[str]], contract: Contract, where: str) -> SupplierError:
    for other in contracts():
        if other.source != contract.source and (found := _find_header(rows[:HEADER_ROWS], other)):
            return SupplierError(
                f"{where}: это файл источника «{other.title}» (разметка «{found[1].layout.title}»), а доставлен как "
                f"«{contract.title}». Доставьте его в источник {other.source}.",
                code="other_source",
                row=found[0] + 1,
            )
    expected = "; ".join(f"«{layout.title}»" for layout in contract.layouts)
    missing = _nearest_layout(rows, contract)
    return SupplierError(
        f"{where}: в первых {HEADER_ROWS} строках нет заголовка ни одной известной разметки источника "
        f"«{contract.title}» ({expected}).{missing} Проверьте, тот ли это файл, или возьмите пустой шаблон "
        f"docs/templates/{contract.source}.xlsx.",
        code="unknown_layout",
    )


def _nearest_layout(rows: list[list[str]], contract: Contract) -> str:
    """What is missing in the row that looks most like a header, so that the supplier sees the one wrong column."""
    best: tuple[int, str] = (1, "")
    for number, row in enumerate(rows[:HEADER_ROWS], 1):
        names = {fold(cell) for cell in row if cell}
        for layout in contract.layouts:
            lacking = [layout.header[n][0] for n in layout.required if not names & {fold(a) for a in layout.header[n]}]
            found = len(layout.required) - len(lacking)
            if lacking and found > best[0]:
                absent = ", ".join(f"«{name}»" for name in lacking)
                best = (
                    found,
                    f" Строка {number} похожа на разметку «{layout.title}», но в ней нет столбцов: {absent}.",
                )
    return best[1]


# --- entry points ----------------------------------------------------------------------------------------------------


def read(path: Path, file_name: str, contract: Contract) -> Iterator[Block]:
    """Blocks of the file, in file order. Raises SupplierError with a Russian message when it can't be read at all."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise SupplierError(f"Файл «{file_name}» пустой (0 байт). Пришлите файл с данными.", code="empty_file")
    if start.startswith((_OLE, _ZIP)) or Path(file_name).suffix.lower() in _EXCEL_SUFFIXES:
        yield from _read_workbook(path, file_name, contract)
    else:
        yield from _read_csv(path, file_name, contract, compressed=start.startswith(_GZIP))


def recognise(path: Path, file_name: str) -> list[str]:
    """Sources whose layouts recognise the file, best first; empty when none does."""
    try:
        sheets = _first_rows(path, file_name)
    except SupplierError:
        return []
    scores: list[tuple[int, str]] = []
    for contract in contracts():
        matches = [found[1] for rows in sheets if (found := _find_header(rows, contract))]
        if matches:
            best = max(matches, key=lambda match: len(match.columns) + len(match.items) - len(match.unknown))
            scores.append((len(best.columns) + len(best.items) - len(best.unknown), contract.source))
    return [source for _, source in sorted(scores, reverse=True)]


def _first_rows(path: Path, file_name: str) -> list[list[list[str]]]:
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith((_OLE, _ZIP)) or Path(file_name).suffix.lower() in _EXCEL_SUFFIXES:
        book = _open_workbook(path, file_name)
        return [_rows(_sheet(book, name).head(HEADER_ROWS)) for name in book.sheet_names]
    with _open_text(path, start.startswith(_GZIP)) as raw:
        head, encoding = _sniff_encoding(raw.read(SAMPLE_BYTES), file_name)
    text = head.decode(encoding, "ignore")
    return [_head_rows(text, _delimiter(text))]


# --- workbooks -------------------------------------------------------------------------------------------------------


def _open_workbook(path: Path, file_name: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(path)
    except Exception as error:  # calamine reports every kind of damage by its own exception
        with path.open("rb") as file:
            is_book = file.read(4) in (_ZIP, _OLE)
        damage = "она повреждена или передана не полностью" if is_book else "внутри не книга Excel"
        raise SupplierError(
            f"Книга «{file_name}» не открывается: {damage}. {_RE_SAVE}", code="broken_workbook"
        ) from error


def _sheet(book: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    frame = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    return frame.rename({old: f"c{index}" for index, old in enumerate(frame.columns)})


def _rows(frame: pl.DataFrame) -> list[list[str]]:
    return [[_clean(cell) if cell else "" for cell in row] for row in frame.iter_rows()]


def _read_workbook(path: Path, file_name: str, contract: Contract) -> Iterator[Block]:
    book = _open_workbook(path, file_name)
    found_any = is_filled = False
    heads: list[list[str]] = []
    for name in book.sheet_names:
        frame = _sheet(book, name)
        if frame.is_empty():
            continue
        is_filled = True
        head = _rows(frame.head(HEADER_ROWS))
        heads += head
        found = _find_header(head, contract)
        if found is None or (found[1].layout.sheet and fold(found[1].layout.sheet) != fold(name)):
            continue
        found_any = True
        yield from _sheet_blocks(frame, name, found, contract)
    if not is_filled:
        raise SupplierError(
            f"Книга «{file_name}» пустая: ни на одном листе нет ни одной ячейки. Пришлите заполненную.",
            code="empty_workbook",
        )
    if not found_any:
        raise _no_header(heads, contract, f"Книга «{file_name}»")


def _sheet_blocks(frame: pl.DataFrame, name: str, found: tuple[int, _Match], contract: Contract) -> Iterator[Block]:
    index, match = found
    headers = [(index, match)]
    if match.layout.repeats:
        rows = _rows(frame)
        while next_found := _find_header(rows, contract, headers[-1][0] + 1):
            headers.append(next_found)
    else:
        rows = _rows(frame.head(max(index, 0)))
    region: dict[str, str] = {}
    for number, (start, header) in enumerate(headers):
        above = headers[number - 1][0] + 1 if number else 0
        end = headers[number + 1][0] if number + 1 < len(headers) else frame.height
        context, _ = _context(rows[above:start], header.layout)
        region |= {key: value for key, value in context.items() if key == "region_code"}
        body = frame.slice(start + 1, end - start - 1).with_row_index("row_no", offset=start + 2)
        if number + 1 < len(headers):
            # Rows between the last participant and the next header are that header's title, not this exam's rows.
            _, next_title = _context(rows[start + 1 : end], headers[number + 1][1].layout)
            if next_title is not None:
                body = body.head(next_title)
        yield _block(header, name, region | context, iter([body]))


def _context(rows: list[list[str]], layout: Layout) -> tuple[dict[str, str], int | None]:
    """Values told above the header (title, label cells, region) and the index of the row that told them."""
    context: dict[str, str] = {}
    title_at: int | None = None
    for number, row in enumerate(rows):
        for position, cell in enumerate(row):
            if not cell:
                continue
            if layout.title_row and (found := layout.title_row.search(cell)):
                context |= found.groupdict()
                title_at = number
            elif layout.region_row and (found := layout.region_row.search(cell)):
                context |= found.groupdict()
            for column, label in layout.title_cells.items():
                if fold(cell) == fold(label):
                    value = next((following for following in row[position + 1 :] if following), None)
                    if value:
                        context[column] = value
    return context, title_at


# --- csv -------------------------------------------------------------------------------------------------------------


def _open_text(path: Path, compressed: bool) -> IO[bytes]:
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]


def _sniff_encoding(head: bytes, file_name: str) -> tuple[bytes, str]:
    """The bytes without a byte order mark, and their encoding: UTF-8 or Windows-1251."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SupplierError(
            f"Файл «{file_name}» в кодировке UTF-16 (в Excel это «Текст Юникод»). {_RE_SAVE}", code="wrong_encoding"
        )
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:], "utf-8"
    if b"\x00" in head:
        raise SupplierError(f"Файл «{file_name}» не текстовый: в нём двоичные данные. {_RE_SAVE}", code="not_text")
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The sample may end in the middle of a letter: that is still UTF-8.
        if error.start >= len(head) - 4 and error.reason == "unexpected end of data":
            return head, "utf-8"
        return head, "cp1251"
    return head, "utf-8"


def _delimiter(text: str) -> str:
    lines = text.splitlines()[:HEADER_ROWS]
    return max(";,\t|", key=lambda sign: max((line.count(sign) for line in lines), default=0))


def _head_rows(text: str, delimiter: str) -> list[list[str]]:
    lines = text.splitlines(keepends=True)
    rows = []
    for row in csv.reader(io.StringIO("".join(lines[: HEADER_ROWS * 4])), delimiter=delimiter):
        rows.append([_clean(cell) for cell in row])
        if len(rows) == HEADER_ROWS:
            break
    return rows


def _read_csv(path: Path, file_name: str, contract: Contract, *, compressed: bool) -> Iterator[Block]:
    with _open_text(path, compressed) as raw:
        try:
            head, encoding = _sniff_encoding(raw.read(SAMPLE_BYTES), file_name)
        except (OSError, EOFError) as error:
            raise SupplierError(
                f"Архив «{file_name}» повреждён: {error}. Пришлите его ещё раз.", code="broken_archive"
            ) from error
    text = head.decode(encoding, "ignore")
    delimiter = _delimiter(text)
    rows = _head_rows(text, delimiter)
    found = _find_header(rows, contract)
    if found is None:
        raise _wrong_code_page(head, delimiter, file_name, contract) or _no_header(
            rows, contract, f"Файл «{file_name}»"
        )
    index, match = found
    context, _ = _context(rows[: max(index, 0)], match.layout)
    width = len(rows[max(index, 0)])
    loose = '"' in text and _loose_quotes(text, delimiter)
    wanted = sorted({0, *match.columns.values(), *(position for position, _ in match.items), *match.unnamed})
    batches = _csv_batches(path, file_name, encoding, delimiter, compressed, index, width, wanted, loose)
    yield _block(match, None, context, batches)


def _wrong_code_page(head: bytes, delimiter: str, file_name: str, contract: Contract) -> SupplierError | None:
    for encoding, name in (("cp866", "DOS (cp866)"), ("koi8-r", "KOI8-R"), ("mac-cyrillic", "MacCyrillic")):
        if _find_header(_head_rows(head.decode(encoding, "ignore"), delimiter), contract):
            return SupplierError(f"Файл «{file_name}» в кодировке {name}. {_RE_SAVE}", code="wrong_encoding")
    return None


def _csv_batches(
    path: Path,
    file_name: str,
    encoding: str,
    delimiter: str,
    compressed: bool,
    header_index: int,
    width: int,
    wanted: list[int],
    loose: bool,
) -> Iterator[pl.DataFrame]:
    names = [f"c{position}" for position in range(width)]
    row_no = header_index + 2
    skip = header_index + 1
    with _open_text(path, compressed) as raw:
        for chunk in _chunks(raw, encoding, file_name):
            frame = (
                _parse_loosely(chunk, names, delimiter) if loose else _parse(chunk, names, wanted, delimiter, file_name)
            )
            if skip:
                frame, skip = frame.slice(skip), max(0, skip - frame.height)
            frame = frame.with_row_index("row_no", offset=row_no)
            row_no += frame.height
            yield frame


def _chunks(raw: IO[bytes], encoding: str, file_name: str) -> Iterator[bytes]:
    """Whole records in UTF-8: a line break inside quotes does not end a record."""
    start = raw.read(3).removeprefix(b"\xef\xbb\xbf")
    blocks: list[bytes] = []
    try:
        for block in chain([start], iter(lambda: raw.read(min(_BLOCK_BYTES, CHUNK_BYTES)), b"")):
            blocks.append(block if encoding == "utf-8" else block.decode(encoding, "replace").encode())
            if sum(map(len, blocks)) < CHUNK_BYTES:
                continue
            chunk = b"".join(blocks)
            cut = chunk.rfind(b"\n") + 1
            quoted = b'"' in chunk
            while quoted and cut and chunk.count(b'"', 0, cut) % 2:
                cut = chunk.rfind(b"\n", 0, cut - 1) + 1
            blocks = [chunk[cut:]]
            if cut:
                yield chunk[:cut]
    except (OSError, EOFError) as error:
        raise SupplierError(
            f"Архив «{file_name}» повреждён: {error}. Пришлите его ещё раз.", code="broken_archive"
        ) from error
    if (rest := b"".join(blocks)).strip():
        yield rest


def _parse(chunk: bytes, names: list[str], wanted: list[int], delimiter: str, file_name: str) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String)
    options = {
        "has_header": False, "schema": schema, "columns": wanted, "separator": delimiter, "truncate_ragged_lines": True,
    }  # fmt: skip
    try:
        return pl.read_csv(io.BytesIO(chunk), **options, quote_char='"' if b'"' in chunk else None)  # type: ignore[arg-type]
    except pl.exceptions.ComputeError as error:
        if b'"' not in chunk:
            raise SupplierError(
                f"Файл «{file_name}» не разбирается как таблица с разделителем «{delimiter}». {_RE_SAVE}",
                code="broken_csv",
            ) from error
        return _parse_loosely(chunk, names, delimiter)


def _loose_quotes(text: str, delimiter: str) -> bool:
    """Quotes inside a quoted field that are not doubled: some portals export so."""
    complete = text[: text.rfind("\n") + 1] or text
    try:
        for _ in csv.reader(io.StringIO(complete), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        # A sample may end inside a quoted field; anything else is a quote out of place.
        return "unexpected end" not in str(error)
    return False


def _parse_loosely(chunk: bytes, names: list[str], delimiter: str) -> pl.DataFrame:
    """Fields split at quote–delimiter–quote, records at a line break before a quote: inner quotes stay as they are."""
    sign = re.escape(delimiter)
    between = re.compile(rf'(?<="){sign}(?=")|(?<=\d){sign}(?=")|(?<="){sign}(?=-?[\d.]+(?:{sign}|$))')
    records = []
    for line in re.split(rf'(?<=["\d{sign}])\r?\n(?="|\d|$)', chunk.decode()):
        if not line.strip():
            continue
        # A run of delimiters between quotes is a run of empty fields.
        line = re.sub(rf'(?<="){sign}+$', lambda run: f'{delimiter}""' * len(run[0]), line.strip("\r\n"))
        line = re.sub(rf'(?<="){sign}{{2,}}(?=")', lambda run: delimiter + f'""{delimiter}' * (len(run[0]) - 1), line)
        cells = [cell.removeprefix('"').removesuffix('"').replace('""', '"') for cell in between.split(line)]
        records.append((cells + [""] * len(names))[: len(names)])
    frame = pl.DataFrame(records, schema=dict.fromkeys(names, pl.String), orient="row")
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all()))


# --- blocks ----------------------------------------------------------------------------------------------------------


def _block(match: _Match, sheet: str | None, context: dict[str, str], batches: Iterator[pl.DataFrame]) -> Block:
    layout = match.layout
    notes = []
    if match.unknown:
        names = ", ".join(f"«{name}»" for name in match.unknown[:10])
        notes.append(Note("unknown_column", f"Столбцы не описаны в контракте и не загружены: {names}."))
    block = Block(layout, sheet, {**layout.constants, **context}, [item for _, item in match.items], iter(()), notes)
    block.batches = (frame for batch in batches if not (frame := _canonical(batch, match, block)).is_empty())
    return block


def _canonical(batch: pl.DataFrame, match: _Match, block: Block) -> pl.DataFrame:
    layout = match.layout
    if layout.shifted_left:
        batch = _unshift(batch, match, *layout.shifted_left)
    # A header may be wider than the sheet's rows: missing cells are empty ones.
    has = set(batch.columns)
    picked = {
        name: pl.col(f"c{index}") if f"c{index}" in has else pl.lit(None, pl.String)
        for name, index in [
            *match.columns.items(),
            *((f"item_{item.position:02d}", index) for index, item in match.items),
        ]
    }
    if layout.spills:
        cells = [f"c{index}" for index in sorted({match.columns[layout.spills], *match.unnamed})]
        joined = pl.concat_str([pl.col(cell) for cell in cells if cell in has], separator=" ", ignore_nulls=True)
        picked[layout.spills] = pl.when(joined != "").then(joined)
    for name, looks in layout.extract.items():
        if name in picked:
            picked[name] = picked[name].str.extract(looks.pattern, 1)
    frame = batch.select(pl.col("row_no").cast(pl.Int32), **picked)
    data = [name for name in frame.columns if name != "row_no"]
    if layout.declared_rows:
        _compare_declared(batch, frame, layout, block)
    if layout.skip_where_empty:
        frame = frame.filter(pl.col(layout.skip_where_empty).is_not_null() & (pl.col(layout.skip_where_empty) != ""))
    elif all(frame[name].null_count() for name in data):
        frame = frame.filter(pl.any_horizontal(pl.col(data).is_not_null()))
    return frame


def _unshift(batch: pl.DataFrame, match: _Match, column: str, where: re.Pattern[str]) -> pl.DataFrame:
    """Move the cells of rows that lack `column` one place to the right."""
    start = match.columns[column]
    cells = [f"c{position}" for position in range(start, len(batch.columns) - 1)]
    rows = pl.col("c0").str.contains(where.pattern) & pl.col(cells[0]).is_not_null() & pl.col(cells[-1]).is_null()
    return batch.with_columns(
        pl.when(rows).then(pl.col(cells[i - 1]) if i else pl.lit(None, pl.String)).otherwise(pl.col(name)).alias(name)
        for i, name in enumerate(cells)
    )


def _compare_declared(batch: pl.DataFrame, frame: pl.DataFrame, layout: Layout, block: Block) -> None:
    assert layout.declared_rows is not None
    declared = batch.select(
        "row_no", pl.col("c0").str.extract(layout.declared_rows.pattern, 1).cast(pl.Int32).alias("n")
    )
    declared = declared.drop_nulls()
    if declared.is_empty():
        return
    told, read_rows = int(declared["n"].sum()), frame.height - declared.height
    if told != read_rows:
        block.notes.append(
            Note(
                "declared_count",
                f"В шапке заявлено участников: {told}, строк с данными: {read_rows}. Проверьте, полна ли выгрузка.",
                int(declared["row_no"][0]),
            )
        )
