"""`python -m sandbox.honeycomb --port N`: serve until told to stop."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import uvicorn

from .app import create_app
from .errors import ApiError
from .seed import plant
from .standin import EVALUATE_SECONDS, StandIn

HOST = "127.0.0.1"


class Server(uvicorn.Server):
    """Says on stdout when it serves."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Start, then print the one line others wait for."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if not self.should_exit:
            print(f"ready http://{HOST}:{self.config.port}", flush=True)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.honeycomb", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--db", default=":memory:", help="file to keep the data in")
    parser.add_argument("--seed", type=Path, help="JSON of SLOs, alerts and recipients")
    parser.add_argument(
        "--relax-burn-windows",
        action="store_true",
        help="allow burn-alert windows under Honeycomb's 60 minutes; every answer says so",
    )
    parser.add_argument(
        "--evaluate-every",
        type=float,
        default=EVALUATE_SECONDS,
        metavar="SECONDS",
        help="how often burn alerts are judged (default: %(default)g)",
    )
    arguments = parser.parse_args()
    url = f"http://{HOST}:{arguments.port}"
    asyncio.run(serve(url, arguments))


async def serve(url: str, arguments: argparse.Namespace) -> None:
    """Serve the stand-in those arguments describe."""
    standin = StandIn(
        url,
        arguments.db,
        relaxed=arguments.relax_burn_windows,
        evaluate_every=arguments.evaluate_every,
    )
    if arguments.seed:
        try:
            plant(standin, arguments.seed)
        except (ApiError, ValueError, KeyError, OSError) as error:
            raise SystemExit(f"{arguments.seed}: {error}") from error
    config = uvicorn.Config(
        create_app(standin),
        host=HOST,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    await Server(config).serve()


if __name__ == "__main__":
    main()
