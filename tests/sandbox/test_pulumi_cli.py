"""Where the Pulumi CLI comes from: PATH, cache, release, Go; or a sentence that says what to do."""

from __future__ import annotations

import http.server
import io
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from sandbox.pulumi.cli import gobuild, release
from sandbox.pulumi.cli.release import PLATFORM, VERSION

ROOT = Path(__file__).resolve().parents[2]
# Prints a version stamp as the CLI does, whatever it is asked.
CLI = "#!/bin/sh\necho v{version}\n"
# Answers as `go version` and `go build -o FILE` do, a second later, and counts its builds.
GO = """#!/bin/sh
if [ "$1" = version ]; then echo "go version go{version} linux/amd64"; exit; fi
echo build >> "{log}"
echo "go: downloading example.com/module v1.0.0" >&2
echo example.com/module >&2
sleep 1
while [ "$1" != -o ]; do shift; done
printf '%s' '{cli}' > "$2"
chmod +x "$2"
exit {status}
"""


def script(path: Path, text: str) -> None:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def started(tmp_path: Path) -> subprocess.Popen[str]:
    """`python -m sandbox.pulumi.cli` on a machine with only what lies in `bin`, and no network."""
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox.pulumi.cli"],
        cwd=ROOT,
        env={
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(tmp_path),
            "BACKBURN_CACHE": str(tmp_path / "cache"),
            "HTTPS_PROXY": "http://127.0.0.1:1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def asked(tmp_path: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of it."""
    process = started(tmp_path)
    out, error = process.communicate(timeout=60)
    return process.returncode, out.strip(), error


def cached(tmp_path: Path) -> Path:
    """Where it is kept between runs."""
    return tmp_path / "cache" / "pulumi" / f"v{VERSION}-{PLATFORM}" / "pulumi"


@pytest.mark.parametrize("version", [VERSION, "3.300.1", "4.0.0"])
def test_a_cli_on_path_is_used_if_it_is_new_enough(tmp_path: Path, version: str) -> None:
    """The pinned version or a newer one."""
    script(tmp_path / "bin" / "pulumi", CLI.format(version=version))
    assert asked(tmp_path) == (0, str(tmp_path / "bin" / "pulumi"), "")


@pytest.mark.parametrize("version", ["3.258.9", "3.99.0", ""])
def test_an_old_or_nameless_cli_on_path_is_passed_over(tmp_path: Path, version: str) -> None:
    """A build without a version stamp prints nothing, and the Automation API refuses it."""
    script(tmp_path / "bin" / "pulumi", CLI.format(version=version))
    script(cached(tmp_path), CLI.format(version=VERSION))
    assert asked(tmp_path) == (0, str(cached(tmp_path)), "")


def test_without_any_way_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    """No CLI, no network, no Go new enough."""
    script(tmp_path / "bin" / "go", GO.format(version="1.20.1", log="", cli="", status=0))
    code, out, error = asked(tmp_path)
    assert (code, out) == (1, "")
    assert "cannot be downloaded from here" in error
    assert "install it (pulumi.com/docs/install), or Go 1.26 or newer" in error
    assert "Traceback" not in error


def test_it_is_built_once_even_by_two_at_once(tmp_path: Path) -> None:
    """The second waits for the first; both get the one whole binary."""
    log = tmp_path / "builds"
    cli = CLI.format(version=VERSION)
    script(tmp_path / "bin" / "go", GO.format(version="1.26.8", log=log, cli=cli, status=0))
    both = [started(tmp_path), started(tmp_path)]
    results = [process.communicate(timeout=60)[0].strip() for process in both]
    assert results == [str(cached(tmp_path))] * 2
    assert log.read_text() == "build\n"
    assert [path.name for path in cached(tmp_path).parents[1].iterdir() if path.is_dir()] == [
        f"v{VERSION}-{PLATFORM}"
    ]


def test_a_failed_build_says_what_go_said_and_leaves_nothing(tmp_path: Path) -> None:
    """No half-made CLI may be found later."""
    script(
        tmp_path / "bin" / "go",
        GO.format(version="1.26.8", log=tmp_path / "builds", cli="", status=1),
    )
    code, out, error = asked(tmp_path)
    assert (code, out) == (1, "")
    assert "example.com/module" in error
    assert "Traceback" not in error
    assert not cached(tmp_path).exists()


def test_progress_tells_what_is_being_compiled() -> None:
    """Modules downloaded, packages compiled, and the one at hand; then linking."""
    progress = gobuild.Progress()
    assert "asking Go what to do" in str(progress)
    progress.follow(["go: downloading example.com/a v1\n", "example.com/a\n", "example.com/b\n"])
    assert "1 modules downloaded, 2 packages compiled, now example.com/b" in str(progress)
    progress.follow([f"{gobuild.PACKAGE}\n"])
    assert str(progress).endswith("now linking")


def test_a_release_is_unpacked_into_one_folder_from_whoever_has_it(tmp_path: Path) -> None:
    """The first address does not have it; CLI and language hosts come out executable."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("pulumi", "pulumi-language-python"):
            entry = tarfile.TarInfo(f"pulumi/{name}")
            entry.size, entry.mode = len(name), 0o755
            archive.addfile(entry, io.BytesIO(name.encode()))

    class Releases(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/release.tar.gz"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(packed.getvalue() if found else b"")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Releases) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        assert not release.download(tmp_path, [f"{here}/nothing.tar.gz"])
        assert release.download(tmp_path, [f"{here}/nothing.tar.gz", f"{here}/release.tar.gz"])
        server.shutdown()
    for name in ("pulumi", "pulumi-language-python"):
        assert (tmp_path / name).read_text() == name
        assert os.access(tmp_path / name, os.X_OK)
