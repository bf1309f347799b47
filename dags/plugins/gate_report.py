"""The gate's report page inside Airflow: a link in the menu, the file behind Airflow's login."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.api_fastapi.core_api.security import requires_authenticated
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response

from rsoko.base.settings import Settings

app = FastAPI(title="rsoko gate report", docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/", dependencies=[Depends(requires_authenticated())])
def report() -> Response:
    """The page that task `page` of the DAGs `transform` and `maintenance` rendered last."""
    path = Settings.from_env().gate_report
    if not path.exists():
        return PlainTextResponse("Отчёта ещё нет: он появится после первой загрузки.", status_code=404)
    return FileResponse(path, media_type="text/html")


class GateReport(AirflowPlugin):
    """Registers the page and its menu entry."""

    name = "gate_report"
    fastapi_apps: ClassVar[list[Any]] = [{"app": app, "url_prefix": "/gate", "name": "gate report"}]
    external_views: ClassVar[list[Any]] = [
        {"name": "Проверки поставок", "href": "/gate/", "destination": "nav", "url_route": "gate"}
    ]
