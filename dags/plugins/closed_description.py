"""What the API server tells of itself is behind its login: `/docs`, `/redoc` and `/openapi.json` of every app in it."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

DESCRIPTION = re.compile(r"/(docs|docs/oauth2-redirect|redoc|openapi\.json|changelog)/?$")


class Closed:
    """Lets who asks for a description of the API pass only with a login."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and DESCRIPTION.search(scope["path"]):
            request = Request(scope)
            try:
                await get_user(request, None, await bearer_scheme(request))
            except HTTPException as refusal:
                await JSONResponse({"detail": refusal.detail}, refusal.status_code)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class ClosedDescription(AirflowPlugin):
    """Registers it in front of all apps."""

    name = "closed_description"
    fastapi_root_middlewares: ClassVar[list[Any]] = [{"middleware": Closed, "name": "closed description"}]
