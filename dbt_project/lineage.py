"""What every model is made of: its parents, a checksum of its code, and what `meta.model` holds of its last build."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg

_SHAPE = ("materialized", "incremental_strategy", "unique_key", "indexes")
"""What of a model's configuration an incremental run does not bring to a table that is there already."""


@dataclass(frozen=True)
class Version:
    """What a model was built from.

    Args:
        sql_code: checksum of its SQL, its macros and those of everything it reads.
        code: the same with the rows of the seeds that it reads.
        publication_id: the newest publication that all of its rows take account of.
    """

    sql_code: str = ""
    code: str = ""
    publication_id: int = 0


class Lineage:
    """The models and seeds of a parsed project (a dbt manifest), by name."""

    def __init__(self, manifest: Any) -> None:
        self._manifest = manifest
        self._nodes = {
            node.name: node for node in manifest.nodes.values() if node.resource_type in ("model", "seed")
        }  # fmt: skip
        self.mechanism = {
            name: node.fqn[2] for name, node in self._nodes.items() if node.fqn[1] == "marts"
        }  # fmt: skip
        """Mart → mechanism, the folder it lies in."""

    def parents(self, name: str) -> list[str]:
        """The models and seeds that it reads."""
        ids = getattr(self._nodes[name].depends_on, "nodes", [])
        return sorted(self._manifest.nodes[parent].name for parent in ids if parent in self._manifest.nodes)

    def reads(self, name: str, others: Iterable[str]) -> set[str]:
        """Those of `others` that it is or reads, directly or through others."""
        found, left = set(), [name]
        while left:
            if (node := left.pop()) not in found:
                found.add(node)
                left += self.parents(node)
        return found & set(others)

    @cached_property
    def wanted(self) -> dict[str, Version]:
        """The version of every model if all were built from the code as it is; publications apart."""
        versions: dict[str, Version] = {}

        def visit(name: str) -> None:
            if name not in versions:
                for parent in self.parents(name):
                    visit(parent)
                versions[name] = self.version(name, versions, 0)

        for name in self._nodes:
            visit(name)
        return versions

    def version(self, name: str, built: Mapping[str, Version], published: int) -> Version:
        """The version of a model that has just been built while its parents were what `built` says.

        What reads no model takes account of everything `published`.
        """
        parents = {parent: built.get(parent, Version()) for parent in self.parents(name)}
        own = self._own_code(name)
        if self._nodes[name].resource_type == "seed":
            return Version("", own, published)
        models = [version for parent, version in parents.items() if self._nodes[parent].resource_type == "model"]
        return Version(
            _digest([own, *(version.sql_code for version in parents.values())]),
            _digest([own, *(version.code for version in parents.values())]),
            min((version.publication_id for version in models), default=published),
        )

    def outdated(self, built: Mapping[str, Version]) -> list[str]:
        """Incremental models whose rows were computed by other SQL than that of today.

        Those of strategy `synchronise` are compared with their query at every build.
        """
        return [
            name
            for name, node in self._nodes.items()
            if node.config.get("materialized") == "incremental"
            and node.config.get("incremental_strategy") != "synchronise"
            and built.get(name, Version()).sql_code != self.wanted[name].sql_code
        ]

    def refresh(self, names: Iterable[str]) -> None:
        """Have these models built from nothing in the build that is given this manifest."""
        for name in names:
            self._nodes[name].config.full_refresh = True

    def _own_code(self, name: str) -> str:
        node = self._nodes[name]
        if node.resource_type == "seed":
            return _digest([node.checksum.checksum, repr(sorted(node.config.column_types.items()))])
        strategy = f"macro.{node.package_name}.get_incremental_{node.config.get('incremental_strategy')}_sql"
        macros = self._macros([*node.depends_on.macros, strategy])
        shape = [repr(node.config.get(key)) for key in _SHAPE]
        return _digest([node.raw_code, *shape, *(macros[macro] for macro in sorted(macros))])

    def _macros(self, ids: Iterable[str]) -> dict[str, str]:
        """SQL of these macros of the project and of those that they call."""
        found: dict[str, str] = {}
        left = list(ids)
        while left:
            macro = self._manifest.macros.get(left.pop())
            if macro and macro.unique_id not in found and macro.package_name == self._manifest.metadata.project_name:
                found[macro.unique_id] = macro.macro_sql
                left += macro.depends_on.macros
        return found


def read(connection: psycopg.Connection) -> dict[str, Version]:
    """Name of a model or seed → what it was last built from."""
    rows = connection.execute("select model, sql_code, code, publication_id from meta.model").fetchall()
    return {model: Version(*values) for model, *values in rows}


def write(connection: psycopg.Connection, versions: Mapping[str, Version]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into meta.model (model, sql_code, code, publication_id) values (%s, %s, %s, %s) "
            "on conflict (model) do update set sql_code = excluded.sql_code, code = excluded.code, "
            "publication_id = excluded.publication_id",
            [(name, v.sql_code, v.code, v.publication_id) for name, v in versions.items()],
        )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
