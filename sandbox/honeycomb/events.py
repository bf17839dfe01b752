"""The events: one wide table with a column for every attribute name and type ever seen.

An attribute that came as a string here and as a number there has two physical columns, so a
comparison with a value of the wrong JSON type finds nothing, silently, as in Honeycomb.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

Scalar = str | int | float | bool
SQL_TYPES = {str: "VARCHAR", bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}
COLUMN_TYPES = {"VARCHAR": "string", "BOOLEAN": "boolean", "BIGINT": "integer", "DOUBLE": "float"}
BUFFER_ROWS = 20_000
# Beyond this, new attribute names are dropped: a flood of random names must not widen the table.
MAX_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class Event:
    """One row as Honeycomb stores it: where, when (ns), how many it stands for, its fields."""

    dataset: str
    time: int
    rate: int
    fields: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a dataset: SQL type to physical column, in the order the types appeared."""

    name: str
    physical: Mapping[str, str]
    created: int


class Events:
    """Appends are buffered; a read sees everything appended before it."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._writer = database.cursor()
        self._write_lock, self._buffer_lock = threading.Lock(), threading.Lock()
        self._buffer: list[dict[str, Any]] = []
        self._writer.execute(
            "CREATE TABLE IF NOT EXISTS events (dataset VARCHAR, time BIGINT, rate INTEGER)"
        )
        self._writer.execute(
            "CREATE TABLE IF NOT EXISTS columns (dataset VARCHAR, name VARCHAR, type VARCHAR,"
            " physical VARCHAR, created BIGINT)"
        )
        self._physical: dict[tuple[str, str], str] = {}
        self._by_dataset: dict[tuple[str, str, type], str] = {}
        self._columns: dict[str, dict[str, dict[str, str]]] = {}
        self._created: dict[tuple[str, str], int] = {}
        self._new: list[tuple[str, str, str, str, int]] = []
        self._altered: set[str] = set()
        for row in self._writer.execute("SELECT * FROM columns ORDER BY created").fetchall():
            self._register(*row)
            self._altered.add(row[3])
        sampled = self._writer.execute("SELECT coalesce(max(rate), 1) FROM events").fetchone()
        self.sampled = bool(sampled and sampled[0] > 1)
        self._folder = tempfile.TemporaryDirectory(prefix="honeycomb-")
        self._file = Path(self._folder.name) / "batch.json"

    def append(self, events: Iterable[Event]) -> None:
        """Take events in; they are in the table after the next flush."""
        rows = []
        for event in events:
            row: dict[str, Any] = {
                "dataset": event.dataset,
                "time": event.time,
                "rate": event.rate,
            }
            for name, value in event.fields.items():
                column = self._by_dataset.get((event.dataset, name, type(value)))
                if column is None:
                    column = self._add_column(event.dataset, name, value, event.time)
                if column:
                    row[column] = value
            rows.append(row)
            if event.rate > 1:
                self.sampled = True
        with self._buffer_lock:
            self._buffer.extend(rows)
        if len(self._buffer) > BUFFER_ROWS:
            self.flush()

    def flush(self) -> None:
        """Move the buffer into the table."""
        with self._write_lock:
            with self._buffer_lock:
                rows, self._buffer = self._buffer, []
                added, self._new = self._new, []
            for row in added:
                self._writer.execute("INSERT INTO columns VALUES (?, ?, ?, ?, ?)", row)
                if row[3] not in self._altered:
                    self._writer.execute(f"ALTER TABLE events ADD COLUMN {row[3]} {row[2]}")
                    self._altered.add(row[3])
            if rows:
                self._insert(rows)

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        # Measured: a file of JSON lines is the cheapest way in without Arrow or numpy (30 us a
        # row of 30 fields; executemany takes 2 ms).
        self._file.write_text("\n".join(map(json.dumps, rows)))
        used = {name for row in rows for name in row}
        types = {c: t for (_, t), c in self._physical.items() if c in used}
        types |= {"dataset": "VARCHAR", "time": "BIGINT", "rate": "INTEGER"}
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
        self._writer.execute(
            f"INSERT INTO events BY NAME SELECT * FROM read_json('{self._file}',"  # noqa: S608
            f" format = 'newline_delimited', columns = {{{columns}}})"
        )

    def close(self) -> None:
        """Keep what was taken in."""
        self.flush()
        self._writer.close()
        self._folder.cleanup()

    def read(self, sql: str, interrupt: threading.Event | None = None) -> list[tuple[Any, ...]]:
        """The rows of a SELECT over `events`; setting `interrupt` ends it with an error."""
        self.flush()
        cursor = self._database.cursor()
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                if interrupt and interrupt.wait(0.5):
                    cursor.interrupt()

        if interrupt:
            threading.Thread(target=watch, daemon=True).start()
        try:
            return cursor.execute(sql).fetchall()
        finally:
            done.set()
            cursor.close()

    def declare(self, dataset: str, name: str, kind: str, created: int) -> None:
        """Make a column (by its SQL type) before any event carries it."""
        examples: dict[str, Scalar]
        examples = {"VARCHAR": "", "BOOLEAN": False, "BIGINT": 0, "DOUBLE": 0.0}
        self._add_column(dataset, name, examples[kind], created)

    def datasets(self) -> list[str]:
        """Every dataset an event was ever sent to."""
        return list(self._columns)

    def columns(self, dataset: str | None) -> dict[str, Column]:
        """The columns of a dataset by name; of all datasets for None."""
        found: dict[str, Column] = {}
        for owner in [dataset] if dataset is not None else list(self._columns):
            for name, physical in list(self._columns.get(owner, {}).items()):
                known = found[name].physical if name in found else {}
                created = self._created[owner, name]
                found[name] = Column(name, {**known, **physical}, created)
        return found

    def _add_column(self, dataset: str, name: str, value: Scalar, time: int) -> str:
        kind = SQL_TYPES[type(value)]
        with self._buffer_lock:
            physical = self._physical.get((name, kind)) or f"c{len(self._physical)}"
            if len(self._physical) >= MAX_COLUMNS and (name, kind) not in self._physical:
                return ""
            if (dataset, name, type(value)) not in self._by_dataset:
                self._register(dataset, name, kind, physical, time)
                self._new.append((dataset, name, kind, physical, time))
        return physical

    def _register(self, dataset: str, name: str, kind: str, physical: str, created: int) -> None:
        python_type = next(p for p, sql in SQL_TYPES.items() if sql == kind)
        self._physical[name, kind] = physical
        self._by_dataset[dataset, name, python_type] = physical
        self._columns.setdefault(dataset, {}).setdefault(name, {})[kind] = physical
        self._created.setdefault((dataset, name), created)
