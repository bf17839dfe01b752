"""`python -m sandbox.bedrock --port N`: serves until SIGTERM."""

from __future__ import annotations

import argparse

from sandbox.serving import serve

from .server import application


def main() -> None:
    """Serve the stand-in on the loopback interface."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.bedrock", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    serve(application(), parser.parse_args().port)


if __name__ == "__main__":
    main()
