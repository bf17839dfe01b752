"""Print the path of the Pulumi CLI, getting it first if need be."""

from __future__ import annotations

import sys

from . import NoCliError, path
from .gobuild import BuildFailedError

if __name__ == "__main__":
    try:
        print(path())
    except (NoCliError, BuildFailedError) as error:
        sys.exit(f"set-up: {error}")
