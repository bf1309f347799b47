"""The domain: dbt models and seeds, and their runner."""

from __future__ import annotations

import csv
import hashlib
from functools import lru_cache
from pathlib import Path

PROJECT = Path(__file__).parent


@lru_cache
def seed(name: str) -> tuple[dict[str, str], ...]:
    """Rows of a seed as its file has them, for those who need them before dbt has run."""
    [path] = PROJECT.glob(f"seeds/**/{name}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def mechanisms(project: Path = PROJECT) -> list[str]:
    """The mechanisms that have marts: the folders of `models/marts`."""
    return sorted(path.name for path in (project / "models" / "marts").iterdir() if path.is_dir())


def fingerprint(project: Path = PROJECT) -> str:
    """Checksum of all that dbt reads: what the project builds from the same rows changes with it."""
    digest = hashlib.sha256()
    parts = ("models", "macros", "seeds", "tests")
    for path in sorted(
        [project / "dbt_project.yml", *(path for part in parts for path in (project / part).rglob("*.*"))]
    ):
        digest.update(f"{path.relative_to(project)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
