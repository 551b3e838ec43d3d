"""The pages that a night writes, in Airflow's own menu: scorecard and Data Docs.

For whoever is logged in to Airflow; nothing else of the report folder is shown.
"""

import os
from pathlib import Path
from typing import Any, ClassVar

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse

PREFIX = "/report"
SCORECARD = "scorecard.html"
DATA_DOCS = "data_docs"

pages = FastAPI(
    title="Pages of the last night",
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)


@pages.get("/{path:path}")
def show_page(path: str) -> FileResponse:
    """Return the scorecard, or a file of the Data Docs."""
    folder = Path(os.environ["CX_REPORT_FOLDER"]).resolve()
    file = (folder / path).resolve()
    is_shown = file == folder / SCORECARD or file.is_relative_to(folder / DATA_DOCS)
    if not is_shown or not file.is_file():
        raise HTTPException(
            404, f"{path} is not there: the first night that ends writes these pages."
        )
    return FileResponse(file)


class ReportPages(AirflowPlugin):
    name = "report_pages"
    fastapi_apps: ClassVar[list[Any]] = [
        {"name": "report pages", "app": pages, "url_prefix": PREFIX}
    ]
    external_views: ClassVar[list[Any]] = [
        {
            "name": "Scorecard",
            "href": f"{PREFIX}/{SCORECARD}",
            "destination": "nav",
            "url_route": "scorecard",
        },
        {
            "name": "Data Docs",
            "href": f"{PREFIX}/{DATA_DOCS}/index.html",
            "destination": "nav",
            "url_route": "data-docs",
        },
    ]
