"""The page at /, and /docs: files of the package, which fetch nothing from elsewhere."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from ..display.page_files import FOLDER

POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def add_pages(app: FastAPI) -> None:
    """Add the pages to the application."""
    app.mount("/page", StaticFiles(directory=FOLDER))

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(FOLDER / "index.html", headers=POLICY)

    @app.get("/docs", include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(FOLDER / "docs.html", headers=POLICY)
