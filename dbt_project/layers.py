"""The layers of the dbt project, apart from the runner: a DAG file reads them without importing a database driver."""

LAYERS = ("seeds", "staging", "core", "measures", "signs", "indicators", "marts")
"""In the order they are built: a model reads its own layer and earlier ones. Every layer is a folder and a tag of the
project; a layer's build includes the tests whose parents are built by then."""
