"""The house around ingest, expectations and dbt: `base` and `contracts` below them, `publish` and `ops` above."""
