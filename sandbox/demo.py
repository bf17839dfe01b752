"""One incident, from the first slow request to its end, told as it happens."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from sandbox.play import Play
from sandbox.scenarios import SCENARIOS
from sandbox.story import Story
from sandbox.world import World


def main() -> int:
    """Play a scenario; 0 exactly when it ended as it must."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="cpu")
    parser.add_argument("--directory", type=Path, default=Path(".sandbox"))
    parser.add_argument("--cdk", action="store_true", help="deploy with the cdk CLI")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(SCENARIOS))
        return 0
    scenario = SCENARIOS[arguments.scenario]
    asks = sys.stdin.isatty() and os.environ.get("AUTO_APPROVE") != "1"
    story = Story()
    story.say("demo", f"{scenario.name}: {scenario.tells}")
    with (
        World(arguments.directory, story.say, cdk=arguments.cdk) as world,
        Play(world, story, scenario, clicks=not asks) as play,
    ):
        problems = play.to_its_end()
    for problem in problems:
        story.say("problem", problem)
    story.say("end", f"{scenario.name} ended {'as it must' if not problems else 'WRONG'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
