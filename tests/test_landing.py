"""The landing zone: an archive that heals, disks that fill, clocks that go back, and things that are no files."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner, Result
from fsspec.implementations.memory import MemoryFileSystem
from warehouse import ask, changed_at, current, participant, write_csv

from ingest.load import ledger
from ingest.load.entries import parse_options
from ingest.load.landing import Landing, arrival
from rsoko.base.errors import PermanentError, SupplierError, TransientError
from rsoko.base.settings import Settings
from rsoko.ops import cli, maintenance, pipeline

NAME = "vpr_2024_g5_MA.csv"
SECRET = "0123456789abcdef the key of the hashes"


def rsoko(settings: Settings, *arguments: str | Path) -> Result:
    runner = CliRunner(env=settings.environ() | {"COLUMNS": "300"}, catch_exceptions=False)
    return runner.invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.console, "width", 400)


def inbox(settings: Settings, source: str = "vpr") -> Path:
    folder = settings.home / "landing" / "inbox" / source
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def archived(settings: Settings) -> Path:
    [(url,)] = ask(settings, "select archive_url from meta.delivery")
    return settings.home / "landing" / url


# --- the archive heals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["load", "inbox"])
@pytest.mark.parametrize("damage", ["missing", "other bytes of the same size", "cut"])
def test_the_true_bytes_mend_the_archive_and_it_is_told(
    settings: Settings, tmp_path: Path, damage: str, by: str
) -> None:
    path = write_csv(tmp_path / NAME, [participant(1)])
    pipeline.load(settings, [path], "vpr")
    true, kept = path.read_bytes(), archived(settings)
    if damage == "missing":
        kept.unlink()
    else:
        kept.write_bytes(true[:-9] if damage == "cut" else true[::-1])
    with pytest.raises(PermanentError):
        maintenance.verify_archive(settings)
    if by == "load":
        [told] = pipeline.load(settings, [path], "vpr")
    else:
        (inbox(settings) / NAME).write_bytes(true)
        [told] = pipeline.take_in(settings, "vpr")
    assert told.status == "published"
    assert "В архиве он был повреждён и теперь исправлен" in (told.message or "")
    assert kept.read_bytes() == true
    assert "не сходится" not in rsoko(settings, "status").output
    assert maintenance.verify_archive(settings) == 1
    [again] = pipeline.load(settings, [path], "vpr")
    assert "исправлен" not in (again.message or "")


def test_verification_is_a_command_and_status_tells_its_last_result(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / NAME, [participant(1)])
    pipeline.load(settings, [path], "vpr")
    well = rsoko(settings, "verify")
    assert well.exit_code == 0
    assert "файлов архива 1, всё сходится" in well.output
    assert "строк 1, всё сходится" in well.output
    archived(settings).write_bytes(b"other bytes")
    bad = rsoko(settings, "verify")
    assert bad.exit_code == 1
    for shown in (bad, rsoko(settings, "status")):
        assert "файлов архива 1, не сходится 1" in shown.output
        assert archived(settings).name in shown.output
        assert "Доставьте эти файлы ещё раз (rsoko load)" in shown.output
    pipeline.load(settings, [path], "vpr")
    assert rsoko(settings, "verify").exit_code == 0


def test_rows_changed_behind_the_back_are_told_too(settings: Settings, tmp_path: Path) -> None:
    pipeline.load(settings, [write_csv(tmp_path / NAME, [participant(1), participant(2)])], "vpr")
    with pipeline.connect(settings) as connection:
        connection.execute("delete from raw.vpr where participant_code = '1'")
    bad = rsoko(settings, "verify")
    assert bad.exit_code == 1
    assert "строк 1, не сходится 1" in bad.output
    assert "файлов архива 1, всё сходится" in bad.output


# --- a disk that is full, a zone that is closed -----------------------------------------------------------------------


class Full(MemoryFileSystem):
    """A store that has no room for one file."""

    protocol = "full"
    store: dict[str, Any] = {}  # noqa: RUF012
    pseudo_dirs = [""]  # noqa: RUF012
    no_room_for = ""

    def put_file(self, lpath: str, rpath: str, *arguments: Any, **options: Any) -> None:
        if self.no_room_for and self.no_room_for in rpath:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().put_file(lpath, rpath, *arguments, **options)


fsspec.register_implementation("full", Full, clobber=True)


def test_a_full_disk_is_told_and_loses_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(settings, landing_url="full://landing")
    landing = Landing(settings.landing_url)
    paths = [write_csv(tmp_path / f"vpr_2024_g{grade}_MA.csv", [participant(grade)]) for grade in (4, 5, 6)]
    for path in paths:
        landing.deliver("vpr", path, {})
    monkeypatch.setattr(Full, "no_room_for", arrival(paths[1]).sha256)
    first, full, last = pipeline.take_in(settings, "vpr")
    assert (first.status, full.status, last.status) == ("received", "not received", "received")
    assert "кончилось место" in (full.message or "")
    assert "Освободите место" in (full.message or "")
    assert "\n" not in (full.message or "")
    assert [Path(path).name for path in landing.waiting("vpr")] == [paths[1].name]
    with pytest.raises(TransientError):
        landing.keep(arrival(paths[1]))
    outcomes = pipeline.load(settings, paths, "vpr")
    assert [outcome.status for outcome in outcomes] == ["published", "not received", "published"]
    monkeypatch.setattr(Full, "no_room_for", "")
    for delivery_id in pipeline.scan(settings, "vpr"):
        pipeline.process(settings, delivery_id)
    assert [grade for (grade,) in current(settings, "grade")] == [4, 5, 6]
    assert landing.waiting("vpr") == []


def test_a_zone_that_cannot_be_written_is_told_and_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    delivered = write_csv(inbox(settings) / NAME, [participant(1)])
    (settings.home / "landing" / "archive").write_text("a file where the folder should be")
    [told] = pipeline.take_in(settings, "vpr")
    assert told.status == "not received"
    assert "нельзя писать" in (told.message or "")
    assert "RSOKO_LANDING_URL" in (told.message or "")
    assert delivered.exists()
    assert pipeline.pending(settings, "vpr") == []
    with pytest.raises(PermanentError, match="нельзя писать"):
        Landing(settings.landing_url).keep(arrival(delivered))
    shown = rsoko(settings, "load", "--no-build", "--source", "vpr", delivered)
    assert shown.exit_code == 2
    assert "не принято, наш сбой" in shown.output
    assert "Traceback" not in shown.output
    (settings.home / "landing" / "archive").unlink()
    [delivery_id] = pipeline.scan(settings, "vpr")
    assert pipeline.process(settings, delivery_id).status == "published"


def test_an_archived_file_is_there_whole_or_not_at_all(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / NAME, [participant(1)])
    came = arrival(path)
    path.write_bytes(path.read_bytes() + b"more while it is received")
    with pytest.raises(SupplierError, match="меняется"):
        Landing(settings.landing_url).keep(came)
    assert [file for file in (settings.home / "landing" / "archive").rglob("*") if file.is_file()] == []


# --- a clock set back -------------------------------------------------------------------------------------------------


def test_a_correction_wins_also_when_the_clock_was_set_back(settings: Settings, tmp_path: Path) -> None:
    pipeline.load(settings, [write_csv(tmp_path / "1" / NAME, [participant(1)])], "vpr")
    with pipeline.connect(settings) as connection:  # the clock was a day ahead when this came
        day = timedelta(days=1)
        connection.execute(
            "update meta.delivery set received_at = received_at + %s, precedence_at = precedence_at + %s", [day, day]
        )
    corrected = write_csv(tmp_path / "2" / NAME, [participant(1, (0, 0, 0))])
    other = write_csv(tmp_path / "2" / "vpr_2024_g5_RU.csv", [participant(1)])
    done = rsoko(settings, "load", "--no-build", "--source", "vpr", corrected, other)
    assert done.exit_code == 0
    assert "Часы отстают от журнала поставок на 23:59" in done.output
    assert "Часы отстают" in rsoko(settings, "status").output
    assert current(settings, "subject_code, primary_score") == [("MA", 0), ("RU", 6)]
    # A batch is a batch, and the next one comes after it.
    assert ask(settings, "select count(distinct precedence_at), count(*) from meta.delivery") == [(2, 3)]
    [(old,)] = ask(settings, "select delivery_id from meta.delivery where status = 'superseded'")
    pipeline.restore(settings, old)
    assert current(settings, "subject_code, primary_score") == [("MA", 6), ("RU", 6)]


def test_a_clock_that_goes_right_is_not_spoken_of(settings: Settings, tmp_path: Path) -> None:
    pipeline.load(settings, [write_csv(tmp_path / NAME, [participant(1)])], "vpr")
    assert "Часы" not in rsoko(settings, "status").output
    with ledger.connect(settings) as connection:
        assert ledger.clock_lag(connection) is None


# --- what is no file --------------------------------------------------------------------------------------------------


def _link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def _folder_link(path: Path, secret: Path) -> None:
    path.symlink_to(secret.parent)


def _dangling(path: Path, secret: Path) -> None:
    path.symlink_to(secret.with_name("nothing"))


def _pipe(path: Path, secret: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, secret: Path) -> None:
    # A socket's address is short: bind it where its folder is the working directory.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def _foreign_name(path: Path, secret: Path) -> None:
    good = write_csv(path, [participant(9)])
    os.rename(os.fsencode(good), os.fsencode(path.parent) + b"/\xc2\xcf\xd0 5.csv")


def _options(text: bytes) -> Callable[[Path, Path], None]:
    def make(path: Path, secret: Path) -> None:
        write_csv(path, [participant(9)])
        path.with_name(path.name + ".options.yml").write_bytes(text)

    return make


def _options_link(path: Path, secret: Path) -> None:
    write_csv(path, [participant(9)])
    path.with_name(path.name + ".options.yml").symlink_to(secret)


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghijklm"
)
UNFIT: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "link": (_link, "это ссылка, а не файл"),
    "link to a folder": (_folder_link, "это ссылка, а не файл"),
    "link to nothing": (_dangling, "это ссылка, а не файл"),
    "pipe": (_pipe, "это канал, а не файл"),
    "socket": (_socket, "это сокет, а не файл"),
    "foreign name": (_foreign_name, "не в UTF-8"),
    "options link": (_options_link, "это ссылка, а не файл"),
    "options no yaml": (_options(b"year: [2024"), "options.yml» не читается"),
    "options no mapping": (_options(b"- 2024\n- 5\n"), "options.yml» не читается"),
    "options nested": (_options(b"year: {grade: 5}"), "options.yml» не читается"),
    "options bomb": (_options(BOMB), "options.yml» не читается"),
    "options deep": (_options(b"[" * 16_000), "options.yml» не читается"),
    "options long": (_options(b"year: " + b"2" * 20_000), "options.yml» не читается"),
    "options bytes": (_options(b"\xff\xfe\xfd year: 2024"), "options.yml» не читается"),
    "options date": (_options(b"year: 2024-13-45"), "options.yml» не читается"),
    "options zero": (_options(b'year: "20\\024"'), "options.yml» не читается"),
    "options region": (_options(b"region_code: Altai"), "Код региона"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_inbox_entry_that_is_unfit_concerns_itself_alone(settings: Settings, tmp_path: Path, case: str) -> None:
    secret = tmp_path / "secrets" / "pseudonym.key"
    secret.parent.mkdir()
    secret.write_text(SECRET)
    make, said = UNFIT[case]
    before, after = (write_csv(inbox(settings) / f"vpr_2024_g{grade}_MA.csv", [participant(1)]) for grade in (4, 8))
    make(inbox(settings) / NAME, secret)
    began = time.monotonic()
    outcomes = pipeline.take_in(settings, "vpr")
    assert time.monotonic() - began < 5
    assert sorted(outcome.status for outcome in outcomes) == ["received", "received", "rejected"]
    [told] = [outcome.message or "" for outcome in outcomes if outcome.status == "rejected"]
    assert said in told
    assert SECRET[:16] not in told
    assert not before.exists()
    assert not after.exists()
    assert any(os.scandir(inbox(settings)))  # it stays where it was
    for file in (settings.home / "landing" / "archive").rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()
    shown = rsoko(settings, "status")
    assert said in shown.output
    assert "Не принимается" in shown.output


@pytest.mark.parametrize("case", UNFIT)
def test_a_folder_is_loaded_but_for_what_is_unfit(settings: Settings, tmp_path: Path, case: str) -> None:
    secret, folder = tmp_path / "secrets" / "pseudonym.key", tmp_path / "files"
    secret.parent.mkdir()
    secret.write_text(SECRET)
    make, said = UNFIT[case]
    for grade in (4, 8):
        write_csv(folder / f"vpr_2024_g{grade}_MA.csv", [participant(1)])
    make(folder / NAME, secret)
    checked = rsoko(settings, "check", "--source", "vpr", folder)
    done = rsoko(settings, "load", "--no-build", "--source", "vpr", folder)
    for shown in (checked, done):
        assert shown.exit_code == 2
        assert said in shown.output
        assert SECRET[:16] not in shown.output
    assert [grade for (grade,) in current(settings, "grade")] == [4, 8]


def test_a_source_that_is_a_link_is_not_followed(settings: Settings, tmp_path: Path) -> None:
    secret = tmp_path / "secrets"
    write_csv(secret / NAME, [participant(1)])
    inbox(settings).rmdir()
    inbox(settings, "gia").parent.joinpath("vpr").symlink_to(secret)
    [told] = pipeline.take_in(settings, "vpr")
    assert "это ссылка" in (told.message or "")
    assert (secret / NAME).exists()


def test_a_draft_is_not_written_through_a_link(settings: Settings, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text(SECRET)
    for suffix in (".part", ".options.yml"):
        (inbox(settings) / (NAME + suffix)).symlink_to(victim)
    Landing(settings.landing_url).deliver("vpr", write_csv(tmp_path / NAME, [participant(1)]), {"year": "2024"})
    assert victim.read_text() == SECRET


def test_plain_options_are_what_they_were() -> None:
    given = parse_options("year: 2024\ngrade: 5\nsubject_code: Русский язык\nperiod: 2024-05-20\n".encode(), NAME)
    assert given == {"year": "2024", "grade": "5", "subject_code": "Русский язык", "period": "2024-05-20"}
    assert parse_options(b"", NAME) == {}


# --- closed to others -------------------------------------------------------------------------------------------------


def _open_to_others(folder: Path) -> list[str]:
    """What somebody else could reach: below a folder that is closed nothing is."""
    mode = folder.lstat().st_mode
    if not mode & 0o077:
        return []
    below = [found for path in folder.iterdir() for found in _open_to_others(path)] if folder.is_dir() else []
    return [f"{folder} {mode:o}", *below]


def test_what_a_load_makes_is_its_owners_alone(settings: Settings, tmp_path: Path) -> None:
    path = changed_at(write_csv(tmp_path / NAME, [participant(1)]), 20)
    landing = Landing(f"file://{tmp_path}/elsewhere/landing")
    settings = replace(settings, landing_url=landing.url)
    mask = os.umask(0)
    try:
        landing.deliver("vpr", path, {"year": "2024"})
        for delivery_id in pipeline.scan(settings, "vpr"):
            pipeline.process(settings, delivery_id)
        maintenance.render_page(settings)
        _ = replace(settings, given_pseudonym_key=None).pseudonym_key
    finally:
        os.umask(mask)
    assert _open_to_others(tmp_path / "elsewhere") == []
    assert _open_to_others(settings.home) == []
    modes = {file.stat().st_mode & 0o777 for file in (tmp_path / "elsewhere").rglob("*") if file.is_file()}
    assert modes == {0o600}
