"""Marts are built in a schema of their own, tested there, and then take the places of the published ones.

While dbt builds, every mart that is not built yet stands in `mart_build` as a view of the published table, so a mart
that reads another finds it whatever was selected.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import psycopg
from psycopg import sql

MART, ASIDE = "mart", "mart_build"
AT_ONCE = "700ms"
"""How long a swap waits for the readers of the marts, and new readers for the swap. Shorter than PostgreSQL's
`deadlock_timeout`, so that the server never ends a reader's transaction to let a swap through."""
PAUSE = 2.0
"""Seconds between two attempts, when readers come and go undisturbed."""
log = logging.getLogger(__name__)


class Busy(Exception):
    """Readers never left the marts for long enough."""


def begin(connection: psycopg.Connection) -> None:
    """Make the schema aside hold one view for each published mart and nothing else."""
    with connection.transaction():
        connection.execute("set local client_min_messages = warning")
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(ASIDE)))
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(ASIDE)))
        for name in _tables(connection, MART):
            _stand_in(connection, name)


def publish(
    connection: psycopg.Connection, marts: Sequence[str], record: Callable[[], None], *, patience: float
) -> None:
    """Put the tables that were built aside into the places of the published ones, all at once.

    Indexes, constraints and comments come with the new tables; privileges are those of the old ones, or for a mart that
    is new the default privileges of the schema; users' views on the old tables are made again on the new ones.

    Args:
        marts: names of the tables.
        record: what else belongs into the transaction.
        patience: seconds for which the swap is tried again while readers hold the old tables.

    Raises:
        Busy: readers held them all the time; nothing has changed.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            with connection.transaction():
                _swap(connection, marts)
                record()
            return
        except (
            psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected,
        ) as error:  # fmt: skip
            if time.monotonic() > deadline:
                raise Busy(_readers(connection, marts)) from error
            time.sleep(PAUSE)


def _swap(connection: psycopg.Connection, marts: Sequence[str]) -> None:
    old = [name for name in _tables(connection, MART) if name in marts]
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(MART)))
    connection.execute("set local search_path = ''")  # so that the definitions of views name schemas
    connection.execute(sql.SQL("set local lock_timeout = {}").format(AT_ONCE))
    if old:
        # All locks at once and for a moment only: new readers wait behind this one.
        connection.execute(sql.SQL("set local statement_timeout = {}").format(AT_ONCE))
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(_list(MART, old)))
        connection.execute("set local statement_timeout = 0")
    views = connection.execute(_VIEWS, {"mart": MART, "names": old}).fetchall()
    for (statement,) in connection.execute(
        _PRIVILEGES, {"mart": MART, "aside": ASIDE, "names": list(marts)}
    ).fetchall():
        connection.execute(statement)
    if old:
        connection.execute("set local client_min_messages = warning")
        connection.execute(sql.SQL("drop table {} cascade").format(_list(MART, old)))
    for name in marts:
        connection.execute(
            sql.SQL("alter table {} set schema {}").format(sql.Identifier(ASIDE, name), sql.Identifier(MART))
        )
        _stand_in(connection, name)
    for name, statements in views:
        _make_again(connection, name, statements)


def _make_again(connection: psycopg.Connection, view: str, statements: Sequence[str] | None) -> None:
    try:
        if statements is None:
            raise psycopg.errors.WrongObjectType("only plain views are made again")
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
        raise
    except psycopg.Error as error:
        log.warning("%s read a mart and is gone: %s; it was: %s", view, error, "; ".join(statements or []))


def _stand_in(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        sql.SQL("create view {} as select * from {}").format(sql.Identifier(ASIDE, name), sql.Identifier(MART, name))
    )


def _tables(connection: psycopg.Connection, schema: str) -> list[str]:
    rows = connection.execute("select tablename from pg_tables where schemaname = %s order by 1", [schema])
    return [name for (name,) in rows]


def _list(schema: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)


def _readers(connection: psycopg.Connection, marts: Sequence[str]) -> str:
    rows = connection.execute(
        "select distinct format('process %%s (%%s, %%s, since %%s)', pid, usename, application_name, xact_start) "
        "from pg_locks inner join pg_stat_activity using (pid) inner join pg_class on pg_class.oid = relation "
        "where granted and relnamespace = to_regnamespace(%s) and relname = any(%s) and pid <> pg_backend_pid()",
        [MART, list(marts)],
    ).fetchall()
    return f"readers do not leave the tables: {', '.join(reader for (reader,) in rows) or 'they come and go'}"


_GRANTEE = "case grantee when 0 then 'public' else grantee::regrole::text end"
_PRIVILEGES = f"""
with
    fresh as (
        select
            fresh.oid,
            format('%%I.%%I', %(aside)s::text, fresh.relname) as name,
            fresh.relowner,
            fresh.relacl,
            old.oid as old_oid,
            case
                when old.oid is not null then old.relacl
                else (
                    select array_agg(item)
                    from pg_catalog.pg_default_acl
                    cross join unnest(defaclacl) as item
                    where defaclobjtype = 'r' and defaclrole = fresh.relowner
                        and defaclnamespace in (0, to_regnamespace(%(mart)s))
                )
            end as wanted
        from pg_catalog.pg_class as fresh
        left join pg_catalog.pg_class as old
            on old.relname = fresh.relname and old.relnamespace = to_regnamespace(%(mart)s)
        where fresh.relnamespace = to_regnamespace(%(aside)s) and fresh.relname = any(%(names)s)
    ),
    given as (
        select 1 as step, name, relowner, grantee, '' as columns, 'all' as privilege, false as is_grantable
        from fresh cross join aclexplode(relacl)
        union
        select 2, name, relowner, grantee, '', privilege_type, is_grantable
        from fresh cross join aclexplode(wanted)
        union
        select 2, name, relowner, grantee, format('(%%I)', attname), privilege_type, is_grantable
        from fresh
        inner join pg_catalog.pg_attribute as was on attrelid = old_oid
        cross join aclexplode(attacl)
        where exists (
            select from pg_catalog.pg_attribute as now where now.attrelid = fresh.oid and now.attname = was.attname
        )
    )
select
    case step
        when 1 then format('revoke all on %%s from %%s', name, {_GRANTEE})
        else format('grant %%s %%s on %%s to %%s', privilege, columns, name, {_GRANTEE})
            || case when is_grantable then ' with grant option' else '' end
    end
from given
where grantee <> relowner
order by step
"""
_VIEWS = f"""
with recursive
    reader as (
        select rewrite.ev_class as oid, 1 as depth
        from pg_catalog.pg_depend
        inner join pg_catalog.pg_rewrite as rewrite on classid = 'pg_rewrite'::regclass and objid = rewrite.oid
        inner join pg_catalog.pg_class as old on refclassid = 'pg_class'::regclass and refobjid = old.oid
        where old.relnamespace = to_regnamespace(%(mart)s) and old.relname = any(%(names)s)
        union
        select rewrite.ev_class, reader.depth + 1
        from reader
        inner join pg_catalog.pg_depend on refclassid = 'pg_class'::regclass and refobjid = reader.oid
        inner join pg_catalog.pg_rewrite as rewrite
            on classid = 'pg_rewrite'::regclass and objid = rewrite.oid and rewrite.ev_class <> reader.oid
    ),
    view as (
        select reader.oid, format('%%I.%%I', nspname, relname) as name, relkind, relowner, relacl, reloptions, depth
        from (select oid, max(depth) as depth from reader group by oid) as reader
        inner join pg_catalog.pg_class using (oid)
        inner join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    )
select
    name,
    case
        when relkind = 'v' then
            array[
                format(
                    'create view %%s%%s as %%s',
                    name, ' with (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(oid)
                ),
                case
                    when pg_has_role(relowner, 'member')
                    then format('alter view %%s owner to %%s', name, relowner::regrole)
                    else format('grant all on %%s to %%s', name, relowner::regrole)
                end
            ]
            || array(
                select
                    format('grant %%s on %%s to %%s', privilege_type, name, {_GRANTEE})
                    || case when is_grantable then ' with grant option' else '' end
                from aclexplode(relacl)
                where grantee <> relowner
            )
            || array(
                select format('comment on view %%s is %%L', name, description)
                from pg_catalog.pg_description
                where objoid = view.oid and objsubid = 0
            )
    end
from view
order by depth, name
"""
