"""What tests share is made once: all tests that share it go to one worker."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from conftest import READ_THE_SAMPLE, ROOT, group_of


def test_a_file_goes_to_one_worker() -> None:
    files = ["tests/test_contracts.py", "tests/test_catalogue_reading.py"]
    command = [sys.executable, "-m", "pytest", "-n", "2", "-o", "addopts=", "-v", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    ran = re.findall(r"\[(gw\d)\].* (?:PASSED|SKIPPED) (tests/\w+\.py)::", done.stdout)
    assert {file for _, file in ran} == set(files), done.stdout
    assert len(ran) > len(set(ran)) == len(files), "the tests of a file went to both workers"


def test_files_that_read_the_sample_region_are_one_group(request: pytest.FixtureRequest) -> None:
    """Another worker would build the region a second time."""
    readers = {item.path.stem for item in request.session.items if "sample_region" in getattr(item, "fixturenames", ())}
    assert readers <= set(READ_THE_SAMPLE)
    assert {group_of(f"tests/{name}.py::test") for name in READ_THE_SAMPLE} == {"sample"}
