"""What the API keeps besides events: SLOs, alerts, recipients, queries, results, deliveries."""

from __future__ import annotations

import json
import secrets
import string
import threading
from typing import Any

import duckdb

Object = dict[str, Any]
ALPHABET = string.ascii_letters + string.digits


def new_id() -> str:
    """An id shaped like Honeycomb's: eleven letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(11))


class Objects:
    """JSON objects by kind and id, in the order they were first written; kept in the database."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database.cursor()
        self._lock = threading.Lock()
        self._database.execute("CREATE SEQUENCE IF NOT EXISTS object_order")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS objects (kind VARCHAR, id VARCHAR, body VARCHAR,"
            " place BIGINT DEFAULT nextval('object_order'))"
        )
        rows = self._database.execute("SELECT kind, id, body FROM objects ORDER BY place")
        self._known: dict[str, dict[str, Object]] = {}
        for kind, key, body in rows.fetchall():
            self._known.setdefault(kind, {})[key] = json.loads(body)

    def put(self, kind: str, body: Object) -> Object:
        """Write under `body["id"]`, replacing what is there."""
        with self._lock:
            known = self._known.setdefault(kind, {})
            text = json.dumps(body)
            # No primary key and no ON CONFLICT: DuckDB pays for an index on every start.
            if body["id"] in known:
                self._database.execute(
                    "UPDATE objects SET body = ? WHERE kind = ? AND id = ?",
                    [text, kind, body["id"]],
                )
            else:
                self._database.execute(
                    "INSERT INTO objects (kind, id, body) VALUES (?, ?, ?)",
                    [kind, body["id"], text],
                )
            known[body["id"]] = body
        return body

    def get(self, kind: str, key: str) -> Object | None:
        """The object, or None."""
        return self._known.get(kind, {}).get(key)

    def all(self, kind: str) -> list[Object]:
        """Every object of that kind, oldest first."""
        return list(self._known.get(kind, {}).values())

    def delete(self, kind: str, key: str) -> None:
        """Forget it."""
        with self._lock:
            self._known.get(kind, {}).pop(key, None)
            self._database.execute("DELETE FROM objects WHERE kind = ? AND id = ?", [kind, key])
