"""What is published but not built: the debt of each mechanism, from the ledger and the files of the project alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dbt_project import PROJECT, fingerprint, mechanisms


@dataclass(frozen=True)
class Debt:
    """A mechanism whose marts are behind.

    Args:
        mechanism: the folder of its marts.
        sources: what was published since they were built; all sources when they never were.
        code_has_changed: models or seeds are others than those that they were built with.
        held_back: why the last build did not publish them; None: no build has come to them yet.
    """

    mechanism: str
    sources: tuple[str, ...]
    code_has_changed: bool
    held_back: str | None


def owed(connection: psycopg.Connection, project: Path = PROJECT) -> list[Debt]:
    """Mechanisms whose marts are behind what is published; an empty warehouse owes nothing."""
    rows = connection.execute(
        """
        select
            mechanism,
            array(
                select distinct source from meta.publication
                where publication.publication_id > coalesce(build.publication_id, 0)
                order by source
            ),
            coalesce(build.code <> %s, false),
            build.held_back
        from unnest(%s::text[]) as known (mechanism)
        left join meta.build using (mechanism)
        order by mechanism
        """,
        [fingerprint(project), mechanisms(project)],
    ).fetchall()
    return [Debt(mechanism, tuple(sources), *rest) for mechanism, sources, *rest in rows if sources or any(rest)]


def published(connection: psycopg.Connection) -> int:
    """Number of the newest publication; 0: nothing was ever published."""
    [(number,)] = connection.execute("select coalesce(max(publication_id), 0) from meta.publication").fetchall()
    return int(number)


def settle(connection: psycopg.Connection, mechanism: str, publication_id: int, code: str) -> None:
    """Record, in the transaction that publishes them, what the marts of a mechanism are built from."""
    connection.execute(
        "insert into meta.build (mechanism, publication_id, code, built_at, held_back) "
        "values (%s, %s, %s, clock_timestamp(), null) on conflict (mechanism) do update set "
        "publication_id = excluded.publication_id, code = excluded.code, built_at = excluded.built_at, "
        "held_back = null",
        [mechanism, publication_id, code],
    )


def hold_back(connection: psycopg.Connection, mechanism: str, reasons: Sequence[str]) -> None:
    """Record why the marts of a mechanism were not published; what is published stays what it is."""
    connection.execute(
        "insert into meta.build (mechanism, held_back) values (%s, %s) "
        "on conflict (mechanism) do update set held_back = excluded.held_back",
        [mechanism, "; ".join(reasons)],
    )
