"""How much of the pure middle its own ring tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_unit_ring_covers_the_nouns(tmp_path: Path) -> None:
    """Nine lines of ten at least; pyproject.toml has the number and what counts as a noun."""
    ring = [sys.executable, "-m", "pytest", "-q", "tests/unit", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*ring, "--cov", "--cov-report=term-missing:skip-covered"],
        cwd=ROOT,
        env=os.environ | {"COVERAGE_FILE": str(tmp_path / "coverage")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Required test coverage of 90" in done.stdout, done.stdout[-4000:]
