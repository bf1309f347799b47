"""What became of a delivery."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.load.ledger import Delivery

UNKNOWN_SOURCE = "unknown"
ACCEPTED = {"published", "superseded"}
DONE = {*ACCEPTED, "rejected"}
NOT_RECEIVED = "not received"
"""Our fault kept the file out of archive and ledger; it stays where it was."""


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


def known_already(known: Delivery, file_name: str) -> Outcome:
    """Re-delivery of the same bytes changes nothing, and says so."""
    day = f"{known.received_at:%d.%m.%Y %H:%M}"
    text = {
        "published": f"Этот файл уже принят {day} и действует: повторная доставка ничего не меняет.",
        "superseded": f"Этот файл уже принят {day}, но потом заменён более новым. "
        f"Вернуть его: rsoko restore {known.delivery_id}.",
        "rejected": f"Этот файл уже отклонён {day}: {known.message}",
    }.get(known.status)
    status = known.status if known.status in DONE else "received"
    return Outcome(known.delivery_id, file_name, known.source, status, message=text)
