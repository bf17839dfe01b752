"""The ECS task metadata endpoint, version 4: where a container reads what it runs as.

`${ECS_CONTAINER_METADATA_URI_V4}` answers for the container, `…/task` for the task.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PATH = "/v4/"


class Metadata:
    """Serves what was told about each task."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}
        documents = self._documents

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                document = documents.get(self.path.removeprefix(_PATH))
                self.send_response(404 if document is None else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(document or b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def tell(self, arn: str, service: str, cluster: str, definition: dict[str, Any]) -> str:
        """Answer for one more task; the value of its ECS_CONTAINER_METADATA_URI_V4."""
        key = arn.rsplit("/", 1)[-1]
        first = definition["containerDefinitions"][0]
        container = {
            "DockerId": key,
            "Name": first["name"],
            "DockerName": first["name"],
            "Image": first["image"],
            "Labels": {
                "com.amazonaws.ecs.cluster": cluster,
                "com.amazonaws.ecs.task-arn": arn,
                "com.amazonaws.ecs.task-definition-family": definition["family"],
                "com.amazonaws.ecs.task-definition-version": str(definition["revision"]),
            },
            "DesiredStatus": "RUNNING",
            "KnownStatus": "RUNNING",
            "Type": "NORMAL",
        }
        task = {
            "Cluster": cluster,
            "TaskARN": arn,
            "Family": definition["family"],
            "Revision": str(definition["revision"]),
            "DesiredStatus": "RUNNING",
            "KnownStatus": "RUNNING",
            "Limits": {
                "CPU": int(definition["cpu"]) / 1024,
                "Memory": int(definition["memory"]),
            },
            "LaunchType": "FARGATE",
            "AvailabilityZone": "us-east-1a",
            "ServiceName": service,
            "Containers": [container],
        }
        self._documents[key] = json.dumps(container).encode()
        self._documents[f"{key}/task"] = json.dumps(task).encode()
        return f"http://127.0.0.1:{self._server.server_port}{_PATH}{key}"

    def forget(self, arn: str) -> None:
        """The task ended."""
        key = arn.rsplit("/", 1)[-1]
        self._documents.pop(key, None)
        self._documents.pop(f"{key}/task", None)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
