"""Running an installation: command line, embedded PostgreSQL, Airflow, maintenance; reader and gate put together."""
