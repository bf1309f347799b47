"""What the way into the raw table may not change."""

from __future__ import annotations

from pathlib import Path

from warehouse import ask, participant, write_csv

from rsoko.base.settings import Settings
from rsoko.ops import pipeline


def test_backslashes_arrive_as_they_were_written(settings: Settings, tmp_path: Path) -> None:
    codes = ["\\N", "\\.", "a\\tb", "\\\\", "c\\"]
    path = write_csv(tmp_path / "vpr_2024_g5_MA.csv", [participant(code) for code in codes])
    assert pipeline.load(settings, [path], "vpr")[0].status == "published"
    assert ask(settings, "select participant_code from raw.vpr order by row_no") == [(code,) for code in codes]
