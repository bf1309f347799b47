"""One delivery from the landing zone to published raw rows: receive → read → COPY → gate → publish.

Each delivery runs in one transaction on one connection, so a crash at any point leaves it as it was received, and the
next run starts it anew under the same ids.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
import psycopg
import yaml

from ingest import ledger, reading
from ingest.contract import LARGE_LOAD, Contract, load_contract, sources
from ingest.errors import PermanentError, SupplierError, TransientError
from ingest.landing import OPTIONS_SUFFIX, Arrival, Landing, arrival
from ingest.ledger import Delivery
from ingest.normalise import Normaliser, Rejection, from_file_name, identity, merge_context
from ingest.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)
_T = TypeVar("_T")
UNKNOWN_SOURCE = "unknown"
MANY_FILES, MOST_PROCESSES = 50, 2
"""Another process pays off from some dozens of files."""
_ACCEPTED = {"published", "superseded"}
_DONE = {*_ACCEPTED, "rejected"}
_COPY = r"(delimiter e'\x1f', null '')"
"""Cells hold no control characters (the normaliser folds them): only backslashes need care on the way."""
_prepared: set[str] = set()


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery. `published` tells whether current rows changed."""

    delivery_id: int
    file_name: str
    source: str
    status: str
    published: bool = False
    message: str | None = None
    load_id: int | None = None


@dataclass
class _Counts:
    """What the reader counts while it reads."""

    layouts: list[str] = field(default_factory=list)
    rows_read: int = 0
    rows_rejected: int = 0
    cells_read: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    keys_are_unique: bool = False

    @property
    def cells_rejected(self) -> int:
        return sum(1 for rejection in self.rejections if rejection.code == "unreadable_cell")


class _GateClosed(SupplierError):
    """Too much of a file is bad; what was found is kept although the rows are not."""

    def __init__(self, message: str, counts: _Counts) -> None:
        super().__init__(message, code="over_tolerance")
        self.counts = counts


@contextmanager
def connect(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to a warehouse whose `meta` and `raw` schemas are ready. Lost connections are TransientError."""
    url = settings.database_url
    try:
        with psycopg.connect(url, autocommit=True, application_name="rsoko") as connection:
            if url not in _prepared:
                ledger.prepare(connection)
                _prepared.add(url)
            yield connection
    except (psycopg.OperationalError, psycopg.errors.DeadlockDetected) as error:
        raise TransientError(f"database: {error}") from error


# --- receive ---------------------------------------------------------------------------------------------------------


def receive(
    settings: Settings, arrivals: Iterable[Arrival], source: str | None = None, *, now: datetime | None = None
) -> list[Outcome]:
    """Archive files and enter them into the ledger as one batch.

    Args:
        source: whose files these are; None lets their content tell.
        now: moment of the batch; the same for all its files.
    """
    now = now or datetime.now(UTC)
    landing = Landing(settings.landing_url)
    with connect(settings) as connection:
        return [_receive_one(settings, connection, landing, arrived, source, now) for arrived in arrivals]


def _receive_one(
    settings: Settings,
    connection: psycopg.Connection,
    landing: Landing,
    arrived: Arrival,
    source: str | None,
    now: datetime,
) -> Outcome:
    message = None
    if source is None:
        found = reading.recognise(arrived.path, arrived.file_name)
        source = found[0] if found else _source_by_name(arrived.file_name)
    options = _delivery_options(arrived, source)
    region = int(options.get("region_code", settings.region_code))
    delivery_id = identity(
        "delivery", str(region), source, arrived.sha256, *(f"{k}={v}" for k, v in sorted(options.items()))
    )
    if known := ledger.find(connection, delivery_id):
        return _known_already(connection, known, arrived.file_name)
    status = "received"
    if source == UNKNOWN_SOURCE:
        status, message = "rejected", _why_unknown(arrived)
    delivery = Delivery(
        delivery_id, region, source, arrived.sha256, arrived.file_name, arrived.byte_size, options,
        landing.keep(arrived), arrived.modified_at, now, settings.user, now, status, message,
    )  # fmt: skip
    ledger.add(connection, delivery)
    return Outcome(delivery_id, arrived.file_name, source, status, message=message)


def _delivery_options(arrived: Arrival, source: str) -> dict[str, str]:
    """Options given at delivery and what the name tells: together they are part of the delivery's identity."""
    if source == UNKNOWN_SOURCE:
        return dict(arrived.options)
    told = from_file_name(arrived.file_name, load_contract(source), arrived.folder)
    return {**{f"name.{key}": value for key, value in told.items()}, **arrived.options}


def _source_by_name(file_name: str) -> str:
    return next((s for s in sources() if from_file_name(file_name, load_contract(s))), UNKNOWN_SOURCE)


def _why_unknown(arrived: Arrival) -> str:
    """Read it as the likeliest source, for the sake of the message."""
    try:
        for _ in reading.read(arrived.path, arrived.file_name, load_contract("vpr")):
            break
    except SupplierError as error:
        if error.code not in {"unknown_layout", "other_source"}:
            return str(error)
    return (
        f"Файл «{arrived.file_name}» не похож ни на один источник ({', '.join(sources())}): ни одна разметка не "
        "подошла. Проверьте, тот ли это файл; источник можно указать при доставке: --source."
    )


def _known_already(connection: psycopg.Connection, known: Delivery, file_name: str) -> Outcome:
    """Re-delivery of the same bytes changes nothing, and says so."""
    day = f"{known.received_at:%d.%m.%Y %H:%M}"
    text = {
        "published": f"Этот файл уже принят {day} и действует: повторная доставка ничего не меняет.",
        "superseded": f"Этот файл уже принят {day}, но потом заменён более новым. "
        f"Вернуть его: rsoko restore {known.delivery_id}.",
        "rejected": f"Этот файл уже отклонён {day}: {known.message}",
    }.get(known.status)
    status = known.status if known.status in _DONE else "received"
    return Outcome(known.delivery_id, file_name, known.source, status, message=text)


def scan(settings: Settings, source: str) -> list[int]:
    """Receive what waits in the inbox of `source`; ids of its deliveries that are still to be processed."""
    landing = Landing(settings.landing_url)
    now = datetime.now(UTC)
    for path in landing.waiting(source):
        with landing.fetch(path) as arrived:
            receive(settings, [arrived], source, now=now)
        landing.remove(path)
    with connect(settings) as connection:
        rows = connection.execute(
            "select delivery_id from meta.delivery "
            "where source = %s and status not in ('published', 'superseded', 'rejected') "
            "order by precedence_at, file_modified_at, file_name",
            [source],
        ).fetchall()
    return [row[0] for row in rows]


# --- process ---------------------------------------------------------------------------------------------------------


def process(settings: Settings, delivery_id: int) -> Outcome:
    """Run one received delivery through to published rows.

    Returns the outcome, also of a rejected delivery. Raises TransientError when a retry may help, PermanentError when
    not.
    """
    with connect(settings) as connection:
        delivery = ledger.get(connection, delivery_id)
        if delivery.source == UNKNOWN_SOURCE:
            return Outcome(delivery_id, delivery.file_name, delivery.source, delivery.status, message=delivery.message)
        contract = load_contract(delivery.source)
        load_id = identity("load", str(delivery_id), str(contract.version))
        try:
            with connection.transaction():
                # Another worker, or what a killed one left running on the server, may have it in hand: wait.
                delivery = ledger.get(connection, delivery_id, lock=True)
                # A rejected delivery is read again when somebody asks: a rule or a scale may have been corrected since.
                if delivery.status in _ACCEPTED and _has_load(connection, load_id):
                    return _known_already(connection, delivery, delivery.file_name)
                return _load(settings, connection, delivery, contract, load_id)
        except SupplierError as error:
            with connection.transaction():
                ledger.get(connection, delivery_id, lock=True)
                return _reject(connection, delivery, contract, load_id, error)


def _has_load(connection: psycopg.Connection, load_id: int) -> bool:
    return connection.execute("select 1 from meta.load where load_id = %s", [load_id]).fetchone() is not None


def _load(
    settings: Settings, connection: psycopg.Connection, delivery: Delivery, contract: Contract, load_id: int
) -> Outcome:
    from expectations import gate

    ledger.open_load(connection, load_id, delivery, contract)
    with Landing(settings.landing_url).archived(delivery.archive_url, delivery.sha256) as path:
        counts, slices = stage(connection, path, delivery, contract, load_id, settings.pseudonym_key)
    with ledger.near(connection, counts.totals["rows"]):
        by_slice = ledger.count_slices(connection, contract, load_id)
    staged = ledger.total(contract, by_slice)
    ledger.set_controls(connection, load_id, "read", counts.totals)
    ledger.set_controls(connection, load_id, "staged", staged)
    _reconcile("COPY", counts.totals, staged)
    _close(connection, load_id, counts, staged["rows"])
    ledger.set_status(connection, delivery.delivery_id, "staged", None, load_id)
    verdict = gate.check(connection, contract, load_id, datetime.now(UTC), keys_are_unique=counts.keys_are_unique)
    ledger.set_status(connection, delivery.delivery_id, "checked", None, load_id)
    _close(connection, load_id, counts, staged["rows"], quarantined=verdict.quarantined_rows)
    if not verdict.accepted:
        connection.execute(f"delete from {contract.table} where load_id = %s", [load_id])
        ledger.set_status(connection, delivery.delivery_id, "rejected", verdict.message, load_id)
        return Outcome(
            delivery.delivery_id, delivery.file_name, contract.source, "rejected", False, verdict.message, load_id
        )
    if verdict.quarantined_rows:
        with ledger.near(connection, staged["rows"]):
            by_slice = ledger.count_slices(connection, contract, load_id)
        left = ledger.total(contract, by_slice)
        _reconcile("quarantine", {"rows": staged["rows"] - verdict.quarantined_rows}, left)
        staged = left
    published = ledger.add_slices(connection, contract, load_id, slices, by_slice)
    ledger.set_controls(connection, load_id, "published", published)
    _reconcile("publication", staged, published)
    ledger.resolve(connection, contract, list(slices))
    message = _told(connection, load_id, counts, verdict)
    connection.execute("update meta.delivery set message = %s where delivery_id = %s", [message, delivery.delivery_id])
    status = ledger.get(connection, delivery.delivery_id).status
    return Outcome(
        delivery.delivery_id, delivery.file_name, contract.source, status, status == "published", message, load_id
    )


def _close(
    connection: psycopg.Connection, load_id: int, counts: _Counts, rows_staged: int, quarantined: int = 0
) -> None:
    ledger.close_load(
        connection, load_id, layouts=counts.layouts, rows_read=counts.rows_read, rows_staged=rows_staged,
        rows_rejected=counts.rows_rejected + quarantined, cells_rejected=counts.cells_rejected,
    )  # fmt: skip


def _told(connection: psycopg.Connection, load_id: int, counts: _Counts, verdict: Any) -> str | None:
    """What the supplier should know about an accepted file."""
    parts = []
    if rows := counts.rows_rejected + verdict.quarantined_rows:
        parts.append(f"строк не принято: {rows}")
    if cells := counts.cells_rejected:
        parts.append(f"ячеек не прочитано: {cells}")
    first = connection.execute(
        "select message from meta.rejection where load_id = %s and (is_row_rejected or code = 'unreadable_cell') "
        "order by is_row_rejected desc, sheet, row_no, column_name limit 1",
        [load_id],
    ).fetchone()
    warned = [result.message for result in verdict.results if not result.is_success and result.severity == "warn"]
    notes = [rejection.message for rejection in counts.rejections if rejection.code in _NOTES]
    text = f"Принято; {', '.join(parts)}. {first[0] if first else ''}" if parts else ""
    return " ".join([text, *warned, *notes]).strip() or None


_NOTES = {"unknown_column", "declared_count", "name_contradiction"}


def _reconcile(step: str, expected: dict[str, int], found: dict[str, int]) -> None:
    for measure, value in expected.items():
        if found[measure] != value:
            raise PermanentError(
                f"control total {measure!r} does not reconcile at {step}: {value} before, {found[measure]} after"
            )


def _reject(
    connection: psycopg.Connection, delivery: Delivery, contract: Contract, load_id: int, error: SupplierError
) -> Outcome:
    ledger.open_load(connection, load_id, delivery, contract)
    counts = error.counts if isinstance(error, _GateClosed) else _Counts()
    if not isinstance(error, _GateClosed):
        counts.rejections.append(
            Rejection(error.sheet, error.row, error.column, error.code, "error", False, error.message)
        )
    ledger.add_rejections(connection, load_id, counts.rejections)
    _close(connection, load_id, counts, 0)
    ledger.set_status(connection, delivery.delivery_id, "rejected", str(error), load_id)
    return Outcome(delivery.delivery_id, delivery.file_name, contract.source, "rejected", False, str(error), load_id)


# --- stage -----------------------------------------------------------------------------------------------------------


def stage(
    connection: psycopg.Connection, path: Path, delivery: Delivery, contract: Contract, load_id: int, key: bytes
) -> tuple[_Counts, dict[int, str]]:
    """Read, type and COPY the rows of one file under `load_id`; the reader's counts and the slices it found."""
    given = {name: str(value) for name, value in delivery.options.items() if not name.startswith("name.")}
    told = {name[5:]: str(value) for name, value in delivery.options.items() if name.startswith("name.")}
    normaliser = Normaliser(contract, key, delivery.region_code)
    counts = _Counts(totals=dict.fromkeys(contract.controls, 0))
    for block in reading.read(path, delivery.file_name, contract):
        counts.layouts = sorted({*counts.layouts, block.layout.id})
        try:
            context, contradictions = merge_context(block, told, given, contract)
            _note(counts, block, contradictions)
            _stage_block(connection, block, context, normaliser, counts, contract, load_id)
        except SupplierError as error:
            error.sheet = error.sheet or block.sheet
            raise
        counts.rejections += [
            Rejection(block.sheet, n.row, None, n.code, "warn", False, n.message) for n in block.notes
        ]
    _refuse_hopeless(counts, contract, delivery)
    ledger.add_rejections(connection, load_id, counts.rejections)
    ledger.add_items(connection, load_id, normaliser.items)
    counts.keys_are_unique = normaliser.keys_are_unique
    if counts.totals["rows"] < LARGE_LOAD:
        # Blocks that the index does not know are read by every search; those of a large load it learns by autovacuum.
        connection.execute("select brin_summarize_new_values(%s::regclass)", [f"raw.{contract.source}_load_id"])
    return counts, normaliser.slices


def _note(counts: _Counts, block: reading.Block, contradictions: list[str]) -> None:
    counts.rejections += [
        Rejection(block.sheet, None, None, "name_contradiction", "warn", False, text) for text in contradictions
    ]


def _stage_block(
    connection: psycopg.Connection, block: reading.Block, context: dict[str, str], normaliser: Normaliser,
    counts: _Counts, contract: Contract, load_id: int,
) -> None:  # fmt: skip
    with connection.cursor() as cursor, ExitStack() as stack:
        columns: list[str] = []
        for names, body in _ahead(_typed(block, context, normaliser, counts, contract, load_id)):
            if names != columns:
                # Masks of another length in a later batch bring other item columns: they need a COPY of their own.
                stack.close()
                columns = names
                target = f"copy {contract.table} ({', '.join(columns)}) from stdin {_COPY}"
                copy = stack.enter_context(cursor.copy(target))
            copy.write(body)


def _typed(
    block: reading.Block, context: dict[str, str], normaliser: Normaliser, counts: _Counts, contract: Contract,
    load_id: int,
) -> Iterator[tuple[list[str], bytes]]:  # fmt: skip
    """Columns of typed rows and the bytes that COPY takes, batch by batch."""
    for batch in _ahead(block.batches):
        result = normaliser.batch(block, batch, context)
        counts.rows_read += result.rows_read
        counts.rows_rejected += result.rows_read - result.frame.height
        counts.cells_read += result.rows_read * (batch.width - 1)
        counts.rejections += result.rejections
        _count(counts, result.frame, contract)
        if not result.frame.is_empty():
            frame, body = result.frame.select(pl.lit(load_id).alias("load_id"), pl.all()), io.BytesIO()
            frame.write_csv(body, include_header=False, separator="\x1f", quote_style="never")
            yield frame.columns, body.getvalue().replace(b"\\", rb"\\")


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, each made while the one before it is used: reading, typing and COPY work at the same time."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item


def _count(counts: _Counts, frame: pl.DataFrame, contract: Contract) -> None:
    """Control totals as the reader sees them, by the meaning of the measure's name."""
    for measure, control in contract.controls.items():
        if measure == "rows":
            value = frame.height
        elif "items" in control:
            assert contract.items is not None
            names = [name for name in frame.columns if name.startswith(f"{contract.items.prefix}_")]
            value = sum(int(frame[name].clip(0).sum()) for name in names)
        elif measure.startswith("sum_"):
            name = measure.removeprefix("sum_")
            value = int(frame[name].sum()) if name in frame.columns else 0
        else:
            value = int((frame["participation"] == measure).sum())
        counts.totals[measure] += value


def _refuse_hopeless(counts: _Counts, contract: Contract, delivery: Delivery) -> None:
    if counts.rows_read == 0:
        raise SupplierError(
            f"Форма «{delivery.file_name}» пустая: заголовок есть, а заполненных строк нет. "
            "Заполните её и пришлите ещё раз.",
            code="empty_form",
        )
    for share, limit, what in (
        (counts.rows_rejected / counts.rows_read, contract.tolerance["rejected_row_share"], "строк"),
        (counts.cells_rejected / counts.cells_read, contract.tolerance["rejected_cell_share"], "ячеек"),
    ):
        if share > limit:
            first = next((r.message for r in counts.rejections if r.code not in _NOTES), "")
            raise _GateClosed(
                f"Не читается {share:.1%} {what} (допустимо {limit:.0%}), файл не принят. Первое: {first} "
                "Исправьте файл и пришлите ещё раз.",
                counts,
            )


# --- the whole way ---------------------------------------------------------------------------------------------------


def load(
    settings: Settings, files: list[Path], source: str | None = None, options: dict[str, str] | None = None
) -> list[Outcome]:
    """Receive and process files as one batch. One bad file never stops another."""
    return list(settle_all(settings, receive_files(settings, files, source, options)))


def settle_all(settings: Settings, received: Iterable[Outcome]) -> Iterator[Outcome]:
    """Process received deliveries and tell what became of each, in their order.

    Many files of one source are shared by processes: reading a workbook takes longer than storing what it says.
    """
    for _, group in groupby(received, key=lambda outcome: outcome.source):
        deliveries = list(group)
        processes = min(MOST_PROCESSES, os.cpu_count() or 1) if len(deliveries) >= MANY_FILES else 1
        if processes == 1:
            yield from (settle(settings, outcome) for outcome in deliveries)
        else:
            # One server imports what takes seconds and forks the processes from there.
            context = get_context("forkserver")
            context.set_forkserver_preload(["expectations.validation", __name__])
            with ProcessPoolExecutor(processes, context, initializer=_end_with_parent) as pool:
                yield from pool.map(partial(settle, settings), deliveries)


def _end_with_parent() -> None:
    """A process of the pool would wait for ever for work from a parent that was killed."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def receive_files(
    settings: Settings, files: list[Path], source: str | None = None, options: dict[str, str] | None = None
) -> list[Outcome]:
    """Receive local files as one batch; a file in a folder named after a source belongs to it."""
    now = datetime.now(UTC)
    out: list[Outcome] = []
    for file in files:
        out += receive(settings, [_arrival(file, options)], source or _folder_source(file), now=now)
    return out


def _arrival(file: Path, options: dict[str, str] | None) -> Arrival:
    return arrival(file, _beside(file) | (options or {}))


def _folder_source(file: Path) -> str | None:
    return next((parent.name for parent in file.parents if parent.name in sources()), None)


def _beside(file: Path) -> dict[str, str]:
    """Options a supplier put into `<file>.options.yml`."""
    path = file.with_name(file.name + OPTIONS_SUFFIX)
    return {str(k): str(v) for k, v in (yaml.safe_load(path.read_text("utf-8")) or {}).items()} if path.exists() else {}


def settle(settings: Settings, outcome: Outcome) -> Outcome:
    """Process a received delivery; our own failure is told in the outcome and logged, so that the next one goes on."""
    if outcome.status in _DONE:
        return outcome
    try:
        return process(settings, outcome.delivery_id)
    except Exception as error:  # a fault of ours in one delivery must not stop the next
        log.exception("delivery %s failed", outcome.delivery_id)
        return Outcome(outcome.delivery_id, outcome.file_name, outcome.source, "received", message=f"Сбой: {error}")


def restore(settings: Settings, delivery_id: int) -> Outcome:
    """Make an older delivery current again: it takes precedence over everything received so far."""
    with connect(settings) as connection, connection.transaction():
        delivery = ledger.get(connection, delivery_id)
        if delivery.status not in _ACCEPTED:
            raise PermanentError(
                f"delivery {delivery_id} is {delivery.status}: only an accepted one can be made current"
            )
        connection.execute(
            "update meta.delivery set precedence_at = %s where delivery_id = %s", [datetime.now(UTC), delivery_id]
        )
        slices = connection.execute(
            "select distinct slice_id from meta.slice_load inner join meta.load using (load_id) where delivery_id = %s",
            [delivery_id],
        ).fetchall()
        ledger.resolve(connection, load_contract(delivery.source), [row[0] for row in slices])
    return Outcome(delivery_id, delivery.file_name, delivery.source, "published", True, "Снова действует.")


def check(
    settings: Settings, file: Path, source: str | None = None, options: dict[str, str] | None = None
) -> tuple[Outcome, list[dict[str, Any]]]:
    """The same reading and gate without loading anything: the outcome and every rejection, for a supplier's dry run."""
    from expectations import gate

    arrived = _arrival(file, options)
    source = (
        source or _folder_source(file) or next(iter(reading.recognise(file, file.name)), _source_by_name(file.name))
    )
    if source == UNKNOWN_SOURCE:
        return Outcome(0, file.name, source, "rejected", message=_why_unknown(arrived)), []
    contract = load_contract(source)
    now = datetime.now(UTC)
    delivery = Delivery(
        identity("check", arrived.sha256), int(arrived.options.get("region_code", settings.region_code)), source,
        arrived.sha256, file.name, arrived.byte_size, _delivery_options(arrived, source), "", arrived.modified_at, now,
        settings.user, now, "received", None,
    )  # fmt: skip
    with connect(settings) as connection:
        outcome, found = Outcome(0, file.name, source, "rejected"), []
        try:
            with connection.transaction(force_rollback=True):
                load_id = identity("check", arrived.sha256, str(now.timestamp()))
                ledger.add(connection, delivery)
                ledger.open_load(connection, load_id, delivery, contract)
                counts, _ = stage(connection, file, delivery, contract, load_id, settings.pseudonym_key)
                verdict = gate.check(connection, contract, load_id, now, keys_are_unique=counts.keys_are_unique)
                message = _told(connection, load_id, counts, verdict) if verdict.accepted else verdict.message
                outcome = Outcome(0, file.name, source, "accepted" if verdict.accepted else "rejected", message=message)
                found = _rejections(connection, load_id)
        except _GateClosed as error:
            outcome = Outcome(0, file.name, source, "rejected", message=str(error))
            found = [vars(rejection) for rejection in error.counts.rejections]
        except SupplierError as error:
            outcome = Outcome(0, file.name, source, "rejected", message=str(error))
    return outcome, found


def _rejections(connection: psycopg.Connection, load_id: int) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select sheet, row_no, column_name, code, severity, is_row_rejected, message from meta.rejection "
            "where load_id = %s order by sheet, row_no, column_name",
            [load_id],
        ).fetchall()
