"""Airflow without a setup of one's own: environment, background services, runs to completion.

Everything lies under `<home>`: `airflow/` (its own files), `logs/`, `run/` (process ids), `secrets/`. Nothing listens
beyond 127.0.0.1. The metadata database is never the warehouse.
"""
