"""What every Pulumi plugin does: serve gRPC on a loopback port, print it, end with the CLI."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent import futures

import grpc  # type: ignore[import-untyped]


def serve(add: Callable[[grpc.Server], None], at_end: Callable[[], None] = lambda: None) -> None:
    """Serve what `add` adds until a signal comes or the CLI that started us is gone."""
    parent = os.getppid()

    def end(code: int) -> None:
        at_end()
        os._exit(code)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end(0))
    server = grpc.server(
        futures.ThreadPoolExecutor(32),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def watch() -> None:  # a killed CLI sends no signal
        while os.getppid() == parent:
            time.sleep(0.5)
        end(1)

    threading.Thread(target=watch, name="watch the CLI", daemon=True).start()
    print(port, flush=True)
    server.wait_for_termination()
