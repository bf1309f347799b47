"""What the documents and the demo tell people to ask is asked here, of the sample region, and has an answer."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from rsoko.base.settings import Settings
from rsoko.ops.demo import QUESTIONS

ROOT = Path(__file__).parent.parent
# What `add_source.md` asks is asked by its own test, of a copy that has the source it adds.
PAGES = sorted({*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "docs/add_source.md"})


def printed(page: Path) -> list[str]:
    """The queries of a page: its `sql` blocks and what its examples give to `rsoko sql`."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    commands = re.findall(r'rsoko sql (?:--csv )?"\s*((?:with|select)\b[^"]*?)"', text, re.DOTALL)
    return [query.strip() for text in [*blocks, *commands] for query in text.split(";\n") if query.strip(" ;\n")]


QUERIES = [(page.relative_to(ROOT).as_posix(), query) for page in PAGES for query in printed(page)]
QUERIES += [("demo", query) for query in QUESTIONS.values()]


def test_the_pages_have_queries() -> None:
    pages = {page for page, _ in QUERIES}
    assert pages >= {"README.md", "README.ru.md", "docs/trace.md", "docs/objectivity_signs.md", "demo"}


@pytest.mark.parametrize(
    ("page", "query"), QUERIES, ids=[f"{page}-{number}" for number, (page, _) in enumerate(QUERIES)]
)
def test_a_printed_query_has_an_answer(sample_region: Settings, page: str, query: str) -> None:
    with psycopg.connect(sample_region.database_url) as connection:
        assert connection.execute(query).fetchone() is not None  # type: ignore[call-overload]
