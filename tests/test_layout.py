"""The dbt project is where its layers say, and everything about a model stands beside it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.cli.main import dbtRunner

from dbt_project.layers import LAYERS
from dbt_project.runner import PROJECT

MODELS, SEEDS = PROJECT / "models", PROJECT / "seeds"
DESCRIBED = sorted([*MODELS.rglob("*.sql"), *SEEDS.rglob("*.csv")])
PROPERTIES = sorted([*MODELS.rglob("*.yml"), *SEEDS.rglob("*.yml")])
SIGNS = ("evidence", "detectors", "verdict")
"""The steps of the layer of signs, in their order; re-checks are beside them."""
ENTRY_KEYS = {
    "models": {"name", "description", "columns", "data_tests", "config", "constraints"},
    "seeds": {"name", "description", "columns", "data_tests", "config"},
    "sources": {"name", "description", "schema", "tables"},
    "tables": {"name", "description", "columns"},
    "unit_tests": {"name", "description", "model", "given", "expect", "overrides", "config"},
}
COLUMN_KEYS = {"name", "description", "data_type", "constraints", "data_tests", "config", "quote"}


ASKED = re.compile(r"""\bparameter\("(\w+)", "(\w+)",""")


def test_every_parameter_is_a_row_and_every_row_is_asked_for() -> None:
    """A missing row would be an empty value: no school would be red, and nobody would know."""
    asked = {
        found for folder in ("models", "macros") for path in (PROJECT / folder).rglob("*.sql")
        for found in ASKED.findall(path.read_text(encoding="utf-8"))
    }  # fmt: skip
    of_a_test = (PROJECT / "macros" / "sign_test.sql").read_text(encoding="utf-8").split("endmacro")[0]
    asked |= {("objectivity", code) for code in re.findall(r'"(\w+)"', of_a_test)}
    with (SEEDS / "parameters" / "parameter.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["parameter_set"], row["parameter_code"]) for row in csv.DictReader(file)}
    assert asked == rows


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """dbt's own reading of the project: references made in macros are in it too. Needs no database."""
    target = str(tmp_path_factory.mktemp("manifest"))
    variables = {f"RSOKO_DBT_{name}": "0" for name in ("HOST", "PORT", "USER", "PASSWORD", "DBNAME")}
    paths = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", target]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setitem(os.environ, name, value)
        outcome = dbtRunner().invoke(["--quiet", "--log-path", target, "parse", *paths])
    assert outcome.success, outcome.exception
    return outcome.result


def rank(node: Any) -> tuple[int, int]:
    """Place in the order of the build: the layer, and inside the layer of signs the step."""
    layer, *folders = Path(node.original_file_path).parts[0 if node.resource_type == "seed" else 1 : -1]
    return LAYERS.index(layer), SIGNS.index(folders[0]) if layer == "signs" and folders[0] in SIGNS else 0


def built(manifest: Any) -> dict[str, Any]:
    return {key: node for key, node in manifest.nodes.items() if node.resource_type in ("model", "seed")}


def test_no_model_reads_a_later_layer(manifest: Any) -> None:
    nodes = built(manifest)
    models = [node for node in nodes.values() if node.resource_type == "model"]
    edges = [(node, nodes[parent]) for node in models for parent in node.depends_on.nodes if parent in nodes]
    assert len(edges) > len(DESCRIBED)
    assert [(node.name, parent.name) for node, parent in edges if rank(parent) > rank(node)] == []


def test_mechanisms_are_published_apart(manifest: Any) -> None:
    """A mart of one mechanism that read another's could be published without it."""
    mechanism = {key: node.fqn[2] for key, node in built(manifest).items() if node.fqn[1] == "marts"}
    assert len(set(mechanism.values())) > 1
    edges = [(node, parent) for node in mechanism for parent in manifest.nodes[node].depends_on.nodes]
    assert [edge for edge in edges if mechanism.get(edge[1], mechanism[edge[0]]) != mechanism[edge[0]]] == []


def test_layer_is_folder_and_tag(manifest: Any) -> None:
    nodes = built(manifest)
    assert len(nodes) == len(DESCRIBED)
    assert {LAYERS[rank(node)[0]] for node in nodes.values()} == set(LAYERS)
    assert [node.name for node in nodes.values() if set(node.tags) & set(LAYERS) != {LAYERS[rank(node)[0]]}] == []


def test_unit_tests_and_columns_stand_beside_their_model() -> None:
    assert [path.name for path in DESCRIBED if not path.with_suffix(".yml").exists()] == []
    for path in PROPERTIES:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "sources" in content:
            assert set(content) == {"version", "sources"}, path
            continue
        (entry,) = content["seeds" if path.is_relative_to(SEEDS) else "models"]
        assert entry["name"] == path.stem
        assert {test["model"] for test in content.get("unit_tests", [])} <= {path.stem}, path


def entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every entry of a properties file with its kind."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["tables"] = [table for source in content.get("sources", []) for table in source["tables"]]
    for kind in set(content) - {"version"}:
        yield from ((kind, entry) for entry in content[kind])


def test_no_text_of_a_description_became_a_key() -> None:
    """`{description: пусто, если балла нет}` without quotes is a text cut at its comma and a key; dbt takes both."""
    stray = []
    for kind, entry in (found for path in PROPERTIES for found in entries(path)):
        stray += [(entry["name"], key) for key in set(entry) - ENTRY_KEYS[kind]]
        for column in entry.get("columns", []):
            stray += [(entry["name"], column["name"], key) for key in set(column) - COLUMN_KEYS]
    assert stray == []
