"""Files → archive and ledger: what came, from whom, of which source."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg

from ingest.load import ledger
from ingest.load.entries import check_options, shown
from ingest.load.landing import Arrival, Landing, arrival, options_beside
from ingest.load.ledger import Delivery
from ingest.load.outcome import NOT_RECEIVED, UNKNOWN_SOURCE, Outcome, known_already
from ingest.read import reader
from ingest.type.context import from_file_name
from rsoko.base.errors import SupplierError
from rsoko.base.identity import identity
from rsoko.base.settings import Settings
from rsoko.contracts.model import load_contract, sources

log = logging.getLogger(__name__)


def receive(
    settings: Settings, arrivals: Iterable[Arrival], source: str | None = None, *, now: datetime | None = None
) -> list[Outcome]:
    """Archive files and enter them into the ledger as one batch.

    Args:
        source: whose files these are; None lets their content tell.
        now: moment of the batch; the same for all its files.
    """
    landing = Landing(settings.landing_url)
    with ledger.connect(settings) as connection:
        now = now or ledger.moment(connection)
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
        source = _by_content(arrived.path)
    options = delivery_options(arrived, source)
    region = region_of(options, settings)
    delivery_id = identity(
        "delivery", str(region), source, arrived.sha256, *(f"{k}={v}" for k, v in sorted(options.items()))
    )
    if known := ledger.find(connection, delivery_id):
        outcome = known_already(known, arrived.file_name)
        if not landing.mend(known.archive_url, arrived):
            return outcome
        log.warning(
            "archived file %s was damaged or missing; delivery %s brought it again", known.archive_url, delivery_id
        )
        ledger.set_mended(connection, known.archive_url)
        return replace(
            outcome, message=f"{outcome.message or ''} В архиве он был повреждён и теперь исправлен.".strip()
        )
    status = "received"
    if source == UNKNOWN_SOURCE:
        status, message = "rejected", why_unknown(arrived)
    delivery = Delivery(
        delivery_id, region, source, arrived.sha256, arrived.file_name, arrived.byte_size, options,
        landing.keep(arrived), arrived.modified_at, now, settings.user, now, status, message,
    )  # fmt: skip
    ledger.add(connection, delivery)
    return Outcome(delivery_id, arrived.file_name, source, status, message=message)


def delivery_options(arrived: Arrival, source: str) -> dict[str, str]:
    """Options given at delivery and what the name tells: together they are part of the delivery's identity."""
    if source == UNKNOWN_SOURCE:
        return dict(arrived.options)
    told = from_file_name(arrived.file_name, load_contract(source), arrived.folder)
    return {**{f"name.{key}": value for key, value in told.items()}, **arrived.options}


def _source_by_name(file_name: str) -> str:
    return next((s for s in sources() if from_file_name(file_name, load_contract(s))), UNKNOWN_SOURCE)


def why_unknown(arrived: Arrival) -> str:
    """Read it as the likeliest source, for the sake of the message."""
    try:
        for _ in reader.read(arrived.path, arrived.file_name, load_contract("vpr")):
            break
    except SupplierError as error:
        if error.code not in {"unknown_layout", "other_source"}:
            return str(error)
    return (
        f"Файл «{arrived.file_name}» не похож ни на один источник ({', '.join(sources())}): ни одна разметка не "
        "подошла. Проверьте, тот ли это файл; источник можно указать при доставке: --source."
    )


def take_in(settings: Settings, source: str) -> list[Outcome]:
    """Receive what waits in the inbox of `source` as one batch; what cannot be received stays there and is told."""
    landing = Landing(settings.landing_url)
    waiting = landing.waiting(source)
    now = _moment(settings) if waiting else None
    out: list[Outcome] = []
    for path in waiting:
        with _apart(Path(path), source, out), landing.fetch(path) as arrived:
            out += receive(settings, [arrived], source, now=now)
            landing.remove(path)
    return out


def pending(settings: Settings, source: str) -> list[int]:
    """Ids of received deliveries of `source` that are still to be processed."""
    with ledger.connect(settings) as connection:
        rows = connection.execute(
            "select delivery_id from meta.delivery "
            "where source = %s and status not in ('published', 'superseded', 'rejected') "
            "order by precedence_at, file_modified_at, file_name",
            [source],
        ).fetchall()
    return [row[0] for row in rows]


def scan(settings: Settings, source: str) -> list[int]:
    """Receive what waits in the inbox of `source`; ids of its deliveries that are still to be processed."""
    take_in(settings, source)
    return pending(settings, source)


def receive_files(
    settings: Settings, files: list[Path], source: str | None = None, options: dict[str, str] | None = None
) -> list[Outcome]:
    """Receive local files as one batch; a file in a folder named after a source belongs to it."""
    now = _moment(settings)
    out: list[Outcome] = []
    for file in files:
        whose = source or _folder_source(file)
        with _apart(file, whose, out):
            out += receive(settings, [arrival_of(file, options)], whose, now=now)
    return out


def _moment(settings: Settings) -> datetime:
    with ledger.connect(settings) as connection:
        return ledger.moment(connection)


@contextmanager
def _apart(file: Path, source: str | None, out: list[Outcome]) -> Iterator[None]:
    """What is wrong with one file is told and concerns itself alone."""
    try:
        yield
    except SupplierError as error:
        log.warning("%s was not received: %s", shown(file), error)
        out.append(Outcome(0, shown(file), source or UNKNOWN_SOURCE, "rejected", message=str(error)))
    except Exception as error:
        log.exception("%s was not received", shown(file))
        out.append(Outcome(0, shown(file), source or UNKNOWN_SOURCE, NOT_RECEIVED, message=f"Сбой: {error}"))


def arrival_of(file: Path, options: dict[str, str] | None) -> Arrival:
    return arrival(file, options_beside(file) | (options or {}))


def region_of(options: dict[str, str], settings: Settings) -> int:
    """The region of a delivery. Raises SupplierError when the option is no code."""
    check_options(options)
    return int(options.get("region_code", settings.region_code))


def _folder_source(file: Path) -> str | None:
    return next((parent.name for parent in file.parents if parent.name in sources()), None)


def recognised(file: Path) -> str:
    """The source of a local file: by its folder, else by its content, else by its name."""
    return _folder_source(file) or _by_content(file)


def _by_content(file: Path) -> str:
    found = reader.recognise(file, file.name)
    return found[0] if found else _source_by_name(file.name)
