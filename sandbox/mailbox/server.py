"""The pages: all mails, one mail, and both as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .outbox import Mail, mails

PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
)
# Mails carry text of strangers: nothing on these pages may run or load anything.
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
}


def application(outbox: Path) -> Starlette:
    """The mailbox over that folder."""

    def listing(_: Request) -> Response:
        return _page("list.html", mails=mails(outbox)[::-1])

    def reading(request: Request) -> Response:
        wanted = request.path_params["id"]
        mail = next((mail for mail in mails(outbox) if mail.id == wanted), None)
        if mail is None:
            return _page("missing.html", status=404)
        return _page("mail.html", mail=mail)

    def raw(_: Request) -> Response:
        return JSONResponse([_json(mail) for mail in mails(outbox)])

    return Starlette(
        routes=[Route("/", listing), Route("/mails/{id}", reading), Route("/mails.json", raw)]
    )


def _page(name: str, *, status: int = 200, **values: object) -> HTMLResponse:
    html = PAGES.get_template(name).render(**values)
    return HTMLResponse(html, status_code=status, headers=SAFE)


def _json(mail: Mail) -> dict[str, str]:
    return {**asdict(mail), "at": mail.at.isoformat()}
