"""An approver: reads the mail, opens its link, types its code, presses a button."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

AWAITED = re.compile(r"^\s*(https?://\S+/approvals/\S+)\s*$", re.MULTILINE)
CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Letter:
    """What an approval mail holds for its reader."""

    subject: str
    text: str
    link: str
    code: str


def letters(mailbox: str, incident: str) -> list[Letter]:
    """The approval mails about an incident, oldest first."""
    found = []
    for mail in httpx.get(f"{mailbox}/mails.json").raise_for_status().json():
        text = mail["message"]
        link, code = AWAITED.search(text), CODE.search(text)
        if incident in text and link and code:
            found.append(Letter(mail["subject"], text, link[1], code[1]))
    return found


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """A request as a browser sends it: `*.localhost` is this machine, the Host header stays."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.endswith(".localhost"):
        url = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
        options["headers"] = {**options.get("headers", {}), "Host": parts.netloc}
    return httpx.request(method, url, timeout=30, **options)


def decide(letter: Letter, decision: str, *, reason: str = "", code: str = "") -> httpx.Response:
    """Open the link and post the page's own form, as a browser would; its answer, or the page's."""
    page = request("GET", letter.link)
    if not page.is_success:
        return page
    form = Form()
    form.feed(page.text)
    fields = {**form.fields, "code": code or letter.code, "decision": decision, "reason": reason}
    return request("POST", urljoin(letter.link, form.action), data=fields)


class Form(HTMLParser):
    """The form of an approval page: where it goes and what it carries along."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the form's address and its hidden fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given.get("value", "")
