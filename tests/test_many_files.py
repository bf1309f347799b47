"""Many files of one source are shared by processes; what becomes of each does not show it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from warehouse import ask, participant, write_csv

from ingest.load import batch
from rsoko.base.settings import Settings
from rsoko.ops import pipeline


def test_files_shared_by_processes_are_answered_in_their_order(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MANY_FILES", 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    # Only here: the processes that share the files import their own.
    monkeypatch.setattr(batch, "process", None)
    name = "vpr_2024_g5_MA.csv"
    files = [
        write_csv(tmp_path / str(school) / name, [participant(1, school=f"edu99000{school}")])
        for school in (1, 2, 3, 4)
    ]
    files.insert(2, write_csv(tmp_path / "empty" / name, []))
    outcomes = pipeline.load(settings, files, "vpr")
    assert [outcome.status for outcome in outcomes] == ["published", "published", "rejected", "published", "published"]
    by_delivery = dict(ask(settings, "select delivery_id, rows_published from meta.delivery_summary"))
    assert [by_delivery[outcome.delivery_id] for outcome in outcomes] == [1, 1, 0, 1, 1]
