"""`python -m sandbox`: the whole world stays up until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from sandbox.world import World


def main() -> int:
    """Keep a sandbox up until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path(".sandbox"))
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with World(arguments.directory, lambda who, what: print(f"{who:<9} {what}")) as world:
        world.connect_honeycomb()
        for name, address in asdict(world.addresses).items():
            print(f"  {name:<10} {address}")
        print(f"  written to {world.directory / 'addresses.json'}; Ctrl-C ends it all")
        while not stop.wait(1):
            if dead := world.processes.dead():
                print(f"ended by itself: {', '.join(dead)}; logs in {world.directory / 'logs'}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
