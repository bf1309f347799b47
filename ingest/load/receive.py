"""Files → archive and ledger: what came, from whom, of which source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import yaml

from ingest.load import ledger
from ingest.load.landing import Arrival, Landing, arrival
from ingest.load.ledger import Delivery
from ingest.load.outcome import UNKNOWN_SOURCE, Outcome, known_already
from ingest.read import reader
from ingest.type.context import from_file_name
from rsoko.base.errors import SupplierError
from rsoko.base.identity import identity
from rsoko.base.settings import Settings
from rsoko.contracts.model import OPTIONS_SUFFIX, load_contract, sources


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
    with ledger.connect(settings) as connection:
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
    region = int(options.get("region_code", settings.region_code))
    delivery_id = identity(
        "delivery", str(region), source, arrived.sha256, *(f"{k}={v}" for k, v in sorted(options.items()))
    )
    if known := ledger.find(connection, delivery_id):
        return known_already(known, arrived.file_name)
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


def scan(settings: Settings, source: str) -> list[int]:
    """Receive what waits in the inbox of `source`; ids of its deliveries that are still to be processed."""
    landing = Landing(settings.landing_url)
    now = datetime.now(UTC)
    for path in landing.waiting(source):
        with landing.fetch(path) as arrived:
            receive(settings, [arrived], source, now=now)
        landing.remove(path)
    with ledger.connect(settings) as connection:
        rows = connection.execute(
            "select delivery_id from meta.delivery "
            "where source = %s and status not in ('published', 'superseded', 'rejected') "
            "order by precedence_at, file_modified_at, file_name",
            [source],
        ).fetchall()
    return [row[0] for row in rows]


def receive_files(
    settings: Settings, files: list[Path], source: str | None = None, options: dict[str, str] | None = None
) -> list[Outcome]:
    """Receive local files as one batch; a file in a folder named after a source belongs to it."""
    now = datetime.now(UTC)
    out: list[Outcome] = []
    for file in files:
        out += receive(settings, [arrival_of(file, options)], source or _folder_source(file), now=now)
    return out


def arrival_of(file: Path, options: dict[str, str] | None) -> Arrival:
    return arrival(file, _beside(file) | (options or {}))


def _folder_source(file: Path) -> str | None:
    return next((parent.name for parent in file.parents if parent.name in sources()), None)


def _beside(file: Path) -> dict[str, str]:
    """Options a supplier put into `<file>.options.yml`."""
    path = file.with_name(file.name + OPTIONS_SUFFIX)
    return {str(k): str(v) for k, v in (yaml.safe_load(path.read_text("utf-8")) or {}).items()} if path.exists() else {}


def recognised(file: Path) -> str:
    """The source of a local file: by its folder, else by its content, else by its name."""
    return _folder_source(file) or _by_content(file)


def _by_content(file: Path) -> str:
    found = reader.recognise(file, file.name)
    return found[0] if found else _source_by_name(file.name)
