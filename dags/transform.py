"""Airflow DAG `transform`: dbt builds the layers, one task each, whenever a source has published something."""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetAny, Param, chain, dag, task
from airflow.sdk.exceptions import AirflowSkipException
from dag_parts import DEFAULTS, MARTS, OWED, RUNBOOKS, raw_asset

from dbt_project.layers import LAYERS
from rsoko.contracts.model import sources

FAULTY = "faulty"
"""Under this key a layer tells the next which models are not right; a layer that died tells nothing."""
DOC = f"""\
### Витрины

Строит слои хранилища по порядку: {" → ".join(LAYERS)}, каждый вместе с его проверками, и обновляет страницу проверок.
Запускается сам, когда любой источник опубликовал новое или ночная проверка нашла, что витрины отстали; строится только
то, что зависит от новых загрузок, изменённых порогов и изменённого SQL.

Витрины строятся в стороне и заменяют прежние по механизмам: сбой или нарушенная проверка задерживает лишь те механизмы,
которых касается; красные задачи называют причину, остальные витрины уже новые.

При ручном запуске можно начать с любого слоя или пересчитать всё с начала (`full_refresh`). Повторный запуск ничего не
портит: те же данные дают те же витрины.

Что делать, если красно: `{RUNBOOKS}/transform.md`.
"""


@dag(
    dag_id="transform",
    dag_display_name="Витрины",
    description=f"dbt: {', '.join(LAYERS)}",
    doc_md=DOC,
    schedule=AssetAny(OWED, *(raw_asset(source) for source in sources())),
    tags=["transform"],
    default_args=DEFAULTS | {"owner": "региональный оператор РСОКО"},
    is_paused_upon_creation=False,
    max_active_runs=1,
    params={
        "first_layer": Param(LAYERS[0], type="string", enum=list(LAYERS), title="Начать со слоя"),
        "full_refresh": Param(
            False,
            type="boolean",
            title="Пересчитать всё",
            description_md="Перестроить таблицы с начала, а не только то, что изменили новые загрузки.",
        ),
    },
)
def transform() -> None:
    def layer_task(layer: str) -> Any:
        earlier = LAYERS[: LAYERS.index(layer)]

        @task(
            task_id=layer,
            trigger_rule="all_done",
            outlets=[MARTS] if layer == LAYERS[-1] else [],
            doc_md=f"`dbt build` of layer `{layer}` with its tests, without what reads a fault of an earlier layer.",
        )
        def build(params: dict[str, Any], ti: Any) -> None:
            from dbt_project import runner
            from rsoko.base.errors import PermanentError
            from rsoko.base.settings import Settings
            from rsoko.ops import postgres

            faulty = ti.xcom_pull(task_ids=earlier[-1], key=FAULTY) if earlier else []
            if faulty is None:
                raise PermanentError(f"layer {earlier[-1]} did not come to its end")
            if LAYERS.index(layer) < LAYERS.index(params["first_layer"]):
                ti.xcom_push(key=FAULTY, value=faulty)
                raise AirflowSkipException(f"the run starts at {params['first_layer']}")
            settings = Settings.from_env()
            try:
                runner.build(
                    postgres.ensure(settings),
                    layer=layer,
                    full_refresh=params["full_refresh"],
                    without=faulty,
                    # One for all layers, which never run at once: the project is parsed once, not once per layer.
                    target_path=settings.home / "dbt" / "transform",
                )
            except runner.BuildError as error:
                ti.xcom_push(key=FAULTY, value=sorted({*faulty, *error.result.faulty}))
                raise
            ti.xcom_push(key=FAULTY, value=faulty)
            if faulty and layer == LAYERS[-1]:
                raise PermanentError(f"failed, though no mart reads it: {', '.join(faulty)}")

        return build()

    @task(doc_md="Renders the page with the gate's results.")
    def page() -> None:
        from rsoko.base.settings import Settings
        from rsoko.ops.maintenance import render_page

        render_page(Settings.from_env())

    chain(*(layer_task(layer) for layer in LAYERS), page())


transform()
