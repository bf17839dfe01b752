"""`python -m sandbox.mailbox --port N --outbox DIR`: serves until SIGTERM."""

from __future__ import annotations

import argparse
from pathlib import Path

from sandbox.serving import serve

from .server import application


def main() -> None:
    """Serve the mails of a folder on the loopback interface."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.mailbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--outbox", type=Path, required=True, help="the folder of the mails")
    asked = parser.parse_args()
    asked.outbox.mkdir(parents=True, exist_ok=True)
    serve(application(asked.outbox), asked.port)


if __name__ == "__main__":
    main()
