"""`python -m chatbot.app`: serves the chatbot until SIGTERM, then finishes what it has begun."""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from .wiring import assemble

SWITCH_SECONDS = 0.001  # a ranking holds the interpreter; answers that came in should not wait
DRAIN_SECONDS = 7  # with the flush of the spans under ten, less than a container is given


def main() -> None:
    """Serve on every interface, as a container does."""
    sys.setswitchinterval(SWITCH_SECONDS)
    # uvicorn passes the signal on once it is through: being told to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        assemble(os.environ),
        host=os.environ.get("HOST", "0.0.0.0"),  # noqa: S104
        port=int(os.environ.get("PORT", "3001")),
        log_level=os.environ.get("LOG_LEVEL", "warning").lower(),
        access_log=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
