"""The local AWS: `python -m sandbox.cloud --port N --state-dir D --outbox D`.

Runs with the interpreter of ministack's own environment (sandbox/cloud/requirements.txt).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .settings import Settings


def main(arguments: list[str]) -> None:
    """Start the local AWS and serve until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cloud", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True, help="temporary files go here")
    parser.add_argument("--outbox", type=Path, required=True, help="each mail becomes a file here")
    parser.add_argument("--lambda-python", default=sys.executable, help="interpreter of functions")
    parser.add_argument("--build-path", default="", help="put before PATH in builds")
    parser.add_argument(
        "--build-env", action="append", default=[], metavar="NAME=VALUE", help="for builds"
    )
    parser.add_argument(
        "--build-minute", type=float, default=60, help="seconds in a minute of build timeout"
    )
    parser.add_argument(
        "--schedule-minute", type=float, default=60, help="seconds in a minute of a schedule"
    )
    given = parser.parse_args(arguments)
    settings = Settings(
        port=given.port,
        outbox=given.outbox.resolve(),
        lambda_python=given.lambda_python,
        build_path=given.build_path,
        build_env=dict(pair.split("=", 1) for pair in given.build_env),
        build_minute=given.build_minute,
        schedule_minute=given.schedule_minute,
    )
    _prepare(settings, given.state_dir.resolve())
    from .server import run  # noqa: PLC0415 - ministack reads its environment when imported

    run(settings)


def _prepare(settings: Settings, state: Path) -> None:
    temporary = state / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    os.environ.pop("PYTHONPATH", None)  # functions see their asset, not this checkout
    os.environ |= {
        "GATEWAY_PORT": str(settings.port),
        "BIND_HOST": "127.0.0.1",
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MINISTACK_REGION": "us-east-1",
        "DOCKER_HOST": f"unix://{state}/no-docker",  # a daemon of this machine is not ours to use
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(temporary),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
