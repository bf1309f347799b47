"""One Airflow DAG `ingest_<source>` per contract: landing zone → archive → gate → published raw rows.

Not named `ingest.py`: Airflow puts this folder on the module path, where it would hide the package `ingest`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
    Param,
    dag,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowSkipException
from dag_parts import DEFAULTS, RUNBOOKS, raw_asset

from rsoko.contracts.model import Contract, contracts


def describe(contract: Contract) -> str:
    """What the Airflow page says about the DAG (Markdown, Russian)."""
    basis = "\n".join(f"- {item['document']}, п. {item['paragraph']}: {item['text']}" for item in contract.basis)
    layouts = "\n".join(f"- {layout.title}" for layout in contract.layouts)
    return f"""\
### {contract.title}

Забирает новые файлы из `inbox/{contract.source}/`, сохраняет их байты в архив, проверяет и публикует в
`raw.{contract.source}`. Строка: {contract.grain}. Поставка заменяет срез: {", ".join(contract.slice)}.

**Кто отвечает:** {contract.responsible}. **Когда:** {contract.cadence}. **Срок обработки:** {contract.sla_hours} ч.

**Основание**

{basis}

**Разметки файлов**

{layouts}

**Задачи:** `scan` — что пришло; `process` — каждая поставка отдельно, отклонённая не мешает другим (причина — в
`rsoko status`, задача при этом зелёная); `announce` — сообщает витринам, что есть новое; `report` — красная, когда
поставка не обработана по нашей вине. Что делать тогда: `{RUNBOOKS}/ingest.md`.
"""


def ingest_dag(contract: Contract) -> DAG:
    """The ingest DAG of one source."""
    asset = raw_asset(contract.source)

    @dag(
        dag_id=f"ingest_{contract.source}",
        dag_display_name=f"Приём: {contract.title}",
        description=contract.title,
        doc_md=describe(contract),
        schedule=contract.schedule,
        tags=["ingest", contract.source],
        default_args=DEFAULTS | {"owner": contract.responsible},
        is_paused_upon_creation=False,
        max_active_runs=1,
        deadline=DeadlineAlert(
            name="sla",
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(hours=contract.sla_hours),
            callback=AsyncCallback("rsoko.ops.airflow.deadline.deadline_missed"),
        ),
        params={
            "paths": Param(
                [],
                type="array",
                items={"type": "string"},
                title="Файлы",
                description_md="Доставить перед обработкой: пути, доступные обработчику, по одному в строке.",
            ),
            "options": Param(
                {},
                type="object",
                additionalProperties={"type": "string"},
                title="Чего нет в файлах",
                description_md='Период и прочее, чего файл не говорит: `{"year": "2021", "grade": "5"}`.',
            ),
            "again": Param(
                [],
                type="array",
                items={"type": "string", "pattern": "^[0-9]+$"},
                title="Обработать снова",
                description_md="Номера поставок (`delivery_id` из `rsoko status`), по одному в строке.",
            ),
        },
    )
    def build() -> None:
        @task(doc_md="Registers new files of the inbox and lists deliveries that wait for processing.")
        def scan(params: dict[str, Any]) -> list[int]:
            from pathlib import Path

            from ingest.load.landing import Landing
            from ingest.load.outcome import NOT_RECEIVED
            from rsoko.base.settings import Settings
            from rsoko.ops import pipeline

            settings = Settings.from_env()
            for path in params["paths"]:
                Landing(settings.landing_url).deliver(contract.source, Path(path), params["options"])
            outcomes = pipeline.take_in(settings, contract.source)
            left = [f"{file.file_name}: {file.message}" for file in outcomes if file.status == NOT_RECEIVED]
            get_current_context()["ti"].xcom_push(key="left", value=left)
            return list(dict.fromkeys([*pipeline.pending(settings, contract.source), *map(int, params["again"])]))

        @task(
            map_index_template="{{ delivery }}",
            max_active_tis_per_dagrun=2,
            doc_md="Reads, checks and publishes one delivery. Green also when it is rejected: that is an answer.",
        )
        def process(delivery_id: int) -> dict[str, Any]:
            from rsoko.base.settings import Settings
            from rsoko.ops import pipeline

            outcome = pipeline.process(Settings.from_env(), delivery_id)
            get_current_context()["delivery"] = f"{outcome.file_name} · {outcome.status}"  # type: ignore[typeddict-unknown-key]
            return {"status": outcome.status, "load_id": outcome.load_id if outcome.published else None}

        @task(
            trigger_rule="all_done",
            outlets=[asset],
            doc_md="Tells the marts which loads are new; skipped when there are none.",
        )
        def announce(outcomes: Any, *, outlet_events: Any) -> None:
            load_ids = [outcome["load_id"] for outcome in outcomes or [] if outcome["load_id"] is not None]
            if not load_ids:
                raise AirflowSkipException("nothing new was published")
            outlet_events[asset].extra = {"load_ids": load_ids}

        @task(trigger_rule="all_done", doc_md="Red when a file or a delivery is stuck for our own fault.")
        def report(pending: Any, outcomes: Any) -> dict[str, int]:
            from collections import Counter

            from rsoko.base.errors import PermanentError

            if pending is None:
                raise PermanentError("the landing zone was not scanned; see task `scan`")
            if left := get_current_context()["ti"].xcom_pull(task_ids="scan", key="left"):
                raise PermanentError(f"{len(left)} files of the inbox could not be received: {'; '.join(left)}")
            statuses = Counter(outcome["status"] for outcome in outcomes or [])
            if stuck := len(pending) - statuses.total():
                raise PermanentError(
                    f"{stuck} of {len(pending)} deliveries are stuck; see the red instances of `process`"
                )
            return dict(statuses)

        pending = scan()
        outcomes = process.expand(delivery_id=pending)
        announce(outcomes) >> report(pending, outcomes)

    return build()


for contract in contracts():
    ingest_dag(contract)
