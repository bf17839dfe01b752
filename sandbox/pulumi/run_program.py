"""Runs one Pulumi program, in the program's own interpreter: nothing of ours is imported here.

One argument: a JSON object with program, root, args, config, secret_keys and settings.
Exit 32 says that the engine has already been told why.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

TOLD = 32


def run(job: dict[str, Any]) -> int:
    """Connect the SDK to the engine and run the program's file."""
    try:
        import pulumi  # noqa: PLC0415  absent from an interpreter without the SDK
        from pulumi import runtime  # noqa: PLC0415
    except ImportError as error:
        sys.exit(
            f"{sys.executable} cannot import the Pulumi SDK ({error}): "
            "install the program's requirements into its virtualenv first"
        )
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # the SDK reports what matters
    runtime.set_all_config(job["config"], job["secret_keys"])
    runtime.configure(runtime.Settings(**job["settings"]))
    program = job["program"]
    sys.argv = [program, *job["args"]]
    sys.path[0] = str(Path(program).parent)  # siblings of the program, not of this file
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(runtime.run_in_stack(lambda: _execute(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return TOLD
    except Exception as error:  # noqa: BLE001  whatever the program raises is reported
        lines = traceback.format_exception(type(error), error, _from_program(error, job["root"]))
        pulumi.log.error("Program failed with an unhandled exception:\n" + "".join(lines))
        return TOLD
    finally:
        sys.stdout.flush()
    return 0


def _execute(program: str) -> None:
    """By its absolute name: the SDK sends source positions for absolute file names only."""
    runpy.run_path(program, run_name="__main__")


def _from_program(error: Exception, root: str) -> TracebackType | None:
    """The traceback from the program's first frame on: what stands above is the SDK's."""
    frame = error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if name.startswith(root + os.sep) and not name.startswith(sys.prefix + os.sep):
            return frame
        frame = frame.tb_next
    return error.__traceback__


if __name__ == "__main__":
    sys.exit(run(json.loads(sys.argv[1])))
