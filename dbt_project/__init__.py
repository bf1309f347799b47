"""The dbt project (models, seeds, tests) and the runner that builds it in process."""
