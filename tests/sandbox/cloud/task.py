"""A tiny service for the Fargate runner: says what it runs as, slowly if asked."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task") as answer:
    TASK = json.load(answer)


class Handler(BaseHTTPRequestHandler):
    """Answers every path."""

    protocol_version = "HTTP/1.1"  # connections are kept alive

    def do_GET(self) -> None:
        """Say what this task is."""
        if self.path == "/slow":
            time.sleep(1)
        sick = self.path == "/api/health" and os.environ.get("HEALTH") == "sick"
        about = {
            "revision": TASK["Revision"],
            "family": TASK["Family"],
            "cpu": TASK["Limits"]["CPU"],
            "secret": os.environ.get("SECRET"),
            "image": os.environ.get("IMAGE"),
        }
        body = json.dumps(about).encode()
        self.send_response(503 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


if os.environ.get("HEALTH") == "dead":
    sys.exit(3)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
