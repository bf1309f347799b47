"""The page on adding a source and an indicator says everything, and who does what it says gets what it says."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from expectations import classes
from expectations.suite import Check
from rsoko.base.settings import Settings
from rsoko.contracts.model import Column, Contract, Fact, Items, Layout

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/add_source.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"(?:^(?P<add>Add to the end of )?`(?P<path>[^`\n]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
UNIT_TESTS = """
from dbt_project import runner
from rsoko.base.settings import Settings
url, changed = Settings.from_env().database_url, "int_indicator__olympiad fct_indicator_value"
nodes = runner.build(url, select=changed, tests="all").nodes
print(sum(node.unique_id.startswith("unit_test") for node in nodes), runner.__file__)
"""


class Copy:
    """A copy of the project, in which a newcomer works."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.environ = os.environ | settings.environ() | {"PYTHONPATH": str(folder), "COLUMNS": "300"}
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, listed.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(sys.prefix)
        # `make` installs what is newer than the environment: here it must not.
        for name in ("requirements.lock", "pyproject.toml"):
            os.utime(folder / name, (0, 0))

    def run(self, *command: str) -> str:
        """What a command prints; its imports come from the copy."""
        done = subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
        return done.stdout

    def follow(self, page: str) -> list[str]:
        """Do what the blocks of a page say, one after the other; what each of its commands printed."""
        printed: list[str] = []
        for block in BLOCK.finditer(page):
            path, text = block["path"], block["text"]
            if path:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                with (self.folder / path).open("a" if block["add"] else "x", encoding="utf-8") as file:
                    file.write(text)
            elif block["kind"] == "diff":
                (self.folder / "page.diff").write_text(text, encoding="utf-8")
                self.run("git", "apply", "page.diff")
            elif block["kind"] == "sh":
                printed.append(self.run("bash", "-ec", text))
            else:
                assert block["kind"] == "text", f"what is to be done with {text!r}?"
                assert [line for line in text.splitlines() if line not in printed[-1]] == [], printed[-1]
        return printed


@pytest.mark.slow
def test_the_page_is_followed_literally(tmp_path: Path, settings: Settings) -> None:
    copy = Copy(tmp_path / "rsoko", settings)
    printed = copy.follow(PAGE)
    assert len(printed) == PAGE.count("```sh")
    tested = set(re.findall(r"(?m)^tests/(\w+)\.py::\S+\[olympiad\] PASSED", "".join(printed)))
    assert tested == {"test_gate", "test_generated", "test_dags"}
    unit_tests, module = copy.run(".venv/bin/python", "-c", UNIT_TESTS).split()
    assert (int(unit_tests), module) == (2, str(copy.folder / "dbt_project/runner.py"))
    models = copy.folder / "dbt_project/models"
    made = [*models.glob("staging/olympiad/stg_olympiad__stage.*"), *models.glob("core/assessment/fct_olympiad.*")]
    assert [path.suffix for path in sorted(made)] == [".sql", ".yml", ".sql", ".yml"]
    copy.run(".venv/bin/sqlfmt", "--check", "--quiet", *map(str, made))
    assert "raw.olympiad" in (copy.folder / "docs/dictionary.md").read_text(encoding="utf-8")
    assert (copy.folder / "docs/templates/olympiad.xlsx").exists()


@pytest.mark.parametrize("kind", [Contract, Column, Layout, Items, Fact, Check])
def test_every_key_is_explained(kind: type) -> None:
    written = {"skip_where_empty": "skip_rows"}
    known = {written.get(field.name, field.name) for field in fields(kind)}
    told = set(re.findall(r"`(\w+)(?::[^`]*)?`", "\n".join(re.findall(r"(?m)^\|.*\|$", PAGE))))
    assert known - told == set()


def test_every_expectation_is_explained() -> None:
    for found in classes.LoadExpectation.__subclasses__():
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", found.__name__).lower()
        arguments = ", ".join(f"`{argument}`" for argument in found.__annotations__)
        told = " ".join((inspect.getdoc(found) or "").split("\n\n")[0].split())
        assert f"| `{name}` | {arguments} | {told} |" in PAGE
