"""Airflow DAG `maintenance`: what keeps the warehouse quick and the archive trustworthy."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from dag_parts import DEFAULTS, OWED, RUNBOOKS

DOC = f"""\
### Обслуживание

Каждую ночь: освобождает место отменённых загрузок и освежает статистику таблиц; сверяет байты архива и строки `raw` с
журналом; обновляет страницу проверок; запускает `transform`, если витрины отстают от опубликованного. Задачи не зависят
друг от друга.

Что делать, если красно: `{RUNBOOKS}/maintenance.md`.
"""


@dag(
    dag_id="maintenance",
    dag_display_name="Обслуживание",
    description="Statistics, integrity of archive and raw rows, gate page, owed builds",
    doc_md=DOC,
    schedule="30 2 * * *",
    tags=["maintenance"],
    default_args=DEFAULTS | {"owner": "региональный оператор РСОКО"},
    is_paused_upon_creation=False,
    max_active_runs=1,
)
def maintenance() -> None:
    @task(doc_md="`VACUUM (ANALYZE)` of the warehouse.")
    def vacuum() -> None:
        from rsoko.base.settings import Settings
        from rsoko.ops import maintenance

        maintenance.vacuum(Settings.from_env())

    @task(doc_md="Compares the archived bytes of every delivery with the sha256 in the ledger.")
    def verify_archive() -> int:
        from rsoko.base.settings import Settings
        from rsoko.ops import maintenance

        return maintenance.verify_archive(Settings.from_env())

    @task(doc_md="Compares the rows of every raw table with what the ledger says was published.")
    def verify_rows() -> int:
        from rsoko.base.settings import Settings
        from rsoko.ops import maintenance

        return maintenance.verify_rows(Settings.from_env())

    @task(doc_md="Renders the page with the gate's results.")
    def page() -> None:
        from rsoko.base.settings import Settings
        from rsoko.ops import maintenance

        maintenance.render_page(Settings.from_env())

    @task(outlets=[OWED], doc_md="Has the marts built that are behind what is published; skipped when none is.")
    def owed(*, outlet_events: Any) -> None:
        from dbt_project.owed import owed
        from rsoko.base.settings import Settings
        from rsoko.ops import pipeline

        with pipeline.connect(Settings.from_env()) as connection:
            debts = owed(connection)
        if not debts:
            raise AirflowSkipException("the marts are up to date")
        outlet_events[OWED].extra = {"mechanisms": [debt.mechanism for debt in debts]}

    vacuum()
    verify_archive()
    verify_rows()
    page()
    owed()


maintenance()
