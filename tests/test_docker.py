"""The containers, as far as that goes without an engine: what they are told, what the image holds, what is open."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import airflow
import pytest
import yaml

from rsoko.base.settings import Settings
from rsoko.ops import postgres
from rsoko.ops.airflow import environment

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<default>[^}]*))?\}")
SECRET = re.compile(r"PASSWORD$|SECRET|KEY$")
ONE_SHOT = {"init", "cli"}


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DOCKER / "compose.yml").read_text())


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """Instructions as (word, rest) with continued lines joined."""
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, rest in (line.split(maxsplit=1) for line in lines)]


def filled(value: Any, values: dict[str, str]) -> str:
    """The value with its variables filled in as compose does."""

    def fill(match: re.Match[str]) -> str:
        given = values.get(match["name"], "")
        assert given or match["kind"] == "-", f"compose would refuse to start: {match['name']} is not set"
        return given or match["default"]

    return VARIABLE.sub(fill, str(value))


@pytest.fixture
def filled_example(example: dict[str, str]) -> dict[str, str]:
    """`.env` of somebody who did as the comments say."""
    return example | {name: f"{name.lower()}0" for name in example if SECRET.search(name)} | {"RSOKO_REGION": "22"}


class TestCompose:
    def test_services(self, compose: Any) -> None:
        assert set(compose["services"]) == {"postgres", *environment.SERVICES} | ONE_SHOT
        for name, service in compose["services"].items():
            assert ("healthcheck" in service) == (name not in ONE_SHOT), name
            assert ("restart" in service) == (name not in ONE_SHOT), name

    def test_services_are_started_as_on_one_machine(self, compose: Any) -> None:
        for name, arguments in environment.SERVICES.items():
            assert compose["services"][name]["command"] == ["airflow", *arguments]
            assert compose["services"][name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}

    def test_airflow_understands_every_command(self, compose: Any, tmp_path: Path) -> None:
        commands = [
            service["command"][1:] for service in compose["services"].values() if service["command"][0] == "airflow"
        ]
        assert len(commands) == 5
        code = "import json, sys; from airflow.cli.cli_parser import get_parser\n"
        code += "for command in json.loads(sys.argv[1]): get_parser().parse_args(command)"
        environ = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
        subprocess.run([sys.executable, "-c", code, json.dumps(commands)], env=environ, check=True)

    def test_only_loopback_is_open(self, compose: Any) -> None:
        ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
        assert len(ports) == 2
        assert all(port.startswith("127.0.0.1:") for port in ports)

    def test_variables_are_those_of_the_example(self, compose: Any, example: dict[str, str]) -> None:
        used = {match["name"] for match in VARIABLE.finditer((DOCKER / "compose.yml").read_text())}
        assert used == set(example)

    def test_secrets_have_no_defaults(self, example: dict[str, str]) -> None:
        matches = list(VARIABLE.finditer((DOCKER / "compose.yml").read_text()))
        secrets = {match["name"] for match in matches if SECRET.search(match["name"])}
        assert len(secrets) == 7
        assert {match["kind"] for match in matches if match["name"] in secrets} == {"?"}
        assert {example[name] for name in secrets} == {""}

    def test_defaults_are_those_of_the_example(self, example: dict[str, str]) -> None:
        for match in VARIABLE.finditer((DOCKER / "compose.yml").read_text()):
            if match["kind"] == "-":
                assert match["default"] == example[match["name"]]

    def test_settings_read_the_environment(self, compose: Any, filled_example: dict[str, str]) -> None:
        given = {name: filled(value, filled_example) for name, value in compose["x-environment"].items()}
        settings = Settings.from_env(given | {"RSOKO_HOME": "/var/lib/rsoko"})
        # Every variable that rsoko knows is set, and none that it does not know.
        assert set(settings.environ()) - {"RSOKO_HOME"} == {name for name in given if name.startswith("RSOKO_")}
        assert settings.region_code == 22
        assert settings.external_database_url != settings.external_airflow_database_url

    def test_airflow_is_told_what_it_is_told_on_one_machine(
        self, compose: Any, dockerfile: list[tuple[str, str]], airflow_settings: Settings
    ) -> None:
        here = {name for name in environment.environment(airflow_settings) if name.startswith("AIRFLOW_")}
        image = {name for word, rest in dockerfile if word == "ENV" for name in re.findall(r"(\w+)=", rest)}
        there = {name for name in {*compose["x-environment"], *image} if name.startswith("AIRFLOW_")}
        assert here == there

    def test_airflow_knows_these_options(self, airflow_settings: Settings) -> None:
        options = yaml.safe_load((Path(airflow.__file__).parent / "config_templates/config.yml").read_text())
        for name in environment.environment(airflow_settings):
            if name.startswith("AIRFLOW__"):
                section, option = name.removeprefix("AIRFLOW__").lower().split("__")
                assert option in options[section]["options"], name

    def test_postgres_is_tuned_as_the_embedded_one(self, compose: Any) -> None:
        given = dict(re.findall(r"-c (\w+)=(\S+)", compose["services"]["postgres"]["command"]))
        embedded = {name: value.strip("'") for name, value in postgres.CONFIGURATION.items()}
        assert given.items() <= embedded.items()
        assert set(embedded) - set(given) == {
            *("listen_addresses", "unix_socket_directories", "log_timezone"),
            *("wal_level", "max_wal_senders"),  # a server of its own may have a replica
        }

    def test_mounted_files_exist(self, compose: Any) -> None:
        volumes = [volume for service in compose["services"].values() for volume in service.get("volumes", [])]
        for source in {volume.split(":")[0] for volume in volumes}:
            assert source in compose["volumes"] or (DOCKER / source).is_file(), source


class TestImage:
    def test_installs_as_make_does(self, dockerfile: list[tuple[str, str]]) -> None:
        makefile = (ROOT / "Makefile").read_text().replace("--quiet ", "")
        installs = [rest for word, rest in dockerfile if word == "RUN" and "pip install" in rest]
        assert len(installs) == 2
        for command in installs:
            arguments = shlex.split(command.split("pip install")[1])
            wanted = " ".join(argument for argument in arguments if argument != "--no-cache-dir")
            assert f"pip install {wanted}" in makefile

    def test_does_not_run_as_root(self, dockerfile: list[tuple[str, str]]) -> None:
        users = [rest for word, rest in dockerfile if word == "USER"]
        assert users == ["rsoko"]
        assert any(
            "useradd" in rest and rest.split("&&")[0].split()[-1] == "rsoko"
            for word, rest in dockerfile
            if word == "RUN"
        )

    def test_build_context_holds_what_is_copied(self, dockerfile: list[tuple[str, str]]) -> None:
        lines = (DOCKER / "Dockerfile.dockerignore").read_text().split()
        sources = [source for word, rest in dockerfile if word == "COPY" for source in rest.split()[:-1]]
        assert {line[1:] for line in lines if line.startswith("!")} == set(sources)
        assert lines[0] == "*"
        for source in sources:
            assert (ROOT / source).exists(), source

    def test_holds_all_that_runs_in_it(
        self, dockerfile: list[tuple[str, str]], compose: Any, filled_example: dict[str, str], tmp_path: Path
    ) -> None:
        ignored = [line for line in (DOCKER / "Dockerfile.dockerignore").read_text().split()[1:] if line[0] != "!"]
        for word, rest in dockerfile:
            if word != "COPY":
                continue
            *sources, target = rest.split()
            for source in sources:
                goal = tmp_path / source if target == "./" else tmp_path / target
                goal.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / source).is_dir():
                    shutil.copytree(
                        ROOT / source,
                        goal,
                        ignore=lambda folder, names: {
                            name
                            for name in names
                            for pattern in ignored
                            if fnmatch(name, pattern.removeprefix("**/"))
                            or fnmatch(str((Path(folder) / name).relative_to(ROOT)), pattern)
                        },
                    )
                else:
                    shutil.copy(ROOT / source, goal)
        project = tomllib.loads((tmp_path / "pyproject.toml").read_text())
        packages = [name.removesuffix("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]]
        # Isolated from this checkout: what is imported comes from the copy, or not at all.
        code = f"""
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in str(finder)]
sys.path[:] = [{str(tmp_path)!r}, *(entry for entry in sys.path if entry != {str(ROOT)!r})]
import importlib
for package in {packages!r}:
    assert importlib.import_module(package).__path__[0].startswith({str(tmp_path)!r}), package
import rsoko.ops.cli
from ingest.load.ledger import _schema
assert "create table" in _schema()
from airflow.dag_processing.dagbag import BundleDagBag
folder = {str(tmp_path / "dags")!r}
bag = BundleDagBag(dag_folder=folder, bundle_path=folder)
assert not bag.import_errors, bag.import_errors
assert len(bag.dags) > 2
"""
        environ = {
            **os.environ,
            **{name: filled(value, filled_example) for name, value in compose["x-environment"].items()},
            "AIRFLOW_HOME": str(tmp_path / "home"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/unused.db",
        }
        done = subprocess.run([sys.executable, "-c", code], env=environ, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
