"""The Pulumi CLI as a subprocess: the real engine, on a backend of the user's own.

Facts held here: the selected stack lives in PULUMI_HOME, so `-s` is always passed; without a
backend URL the CLI may sign up for a cloud account; `preview --json` may have text before the
document; a plan made with `--refresh` must be applied with it, or drift goes unseen.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from backburn.bundle import under
from backburn.errors import Broken, BuildFault
from backburn.patch import Files
from backburn.programs import project_of
from backburn.update import Run
from backburn.workload import Program

from . import pulumi_output as output
from .program_environment import Environments

# Installing, previewing and applying fit into the deploy build: its own end asks nobody.
SECONDS = 900
UP_SECONDS = 1500
GRACE_SECONDS = 120  # SIGINT lets the running step end, so that neither lock nor orphan stays
PASSED = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
    | {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"}
)


class Workspace(NamedTuple):
    """The unpacked program, ready to run."""

    folder: Path
    env: Mapping[str, str]


class PulumiCli:
    """One stack of one program."""

    def __init__(
        self, program: Program, passphrase: str, cache: Path, environ: Mapping[str, str]
    ) -> None:
        self._program = program
        self._passphrase = passphrase
        self._cache = cache
        self._environ = environ

    def versions(self, files: Files) -> tuple[str, str]:
        """Of the CLI and of the language host."""
        with self._workspace(files) as at:
            return output.versions(self._done(at, "about", "--json").out)

    def export(self, files: Files) -> Mapping[str, Any]:
        """The stack's state, secrets encrypted."""
        with self._workspace(files) as at:
            return output.document(self._done(at, "stack", "export").out) or {}

    def preview(self, files: Files) -> Mapping[str, Any]:
        """One preview document, unchanged resources included."""
        with self._workspace(files) as at:
            return self._preview(at)

    def plan(self, files: Files) -> tuple[Mapping[str, Any], bytes]:
        """The preview document, and the plan that `up` is held to."""
        with self._workspace(files) as at, _private_file() as plan:
            document = self._preview(at, "--save-plan", str(plan))
            return document, plan.read_bytes()

    def up(self, files: Files, plan: bytes, started: Callable[[int], None]) -> Run:
        """Apply exactly this plan."""
        with self._workspace(files) as at, _private_file() as path:
            path.write_bytes(plan)
            arguments = ("up", "--json", "--plan", str(path), "--yes", "--skip-preview")
            said = self._run(at, (*arguments, "--refresh"), UP_SECONDS, started)
            if locked := output.locked(said.err):
                raise locked
            run = output.run(said)
            return run._replace(said=self._secretless(run.said))

    def unlock(self, files: Files) -> None:
        """Remove every lock of the stack."""
        with self._workspace(files) as at:
            self._done(at, "cancel", "--yes")

    def _preview(self, at: Workspace, *more: str) -> Mapping[str, Any]:
        said = self._run(at, ("preview", "--json", "--refresh", "--show-sames", *more), SECONDS)
        document = output.document(said.out)
        if said.code == 0 and document is not None:
            return document
        raise Broken(self._secretless(output.broken(said, document)))

    def _done(self, at: Workspace, *arguments: str) -> output.Said:
        said = self._run(at, arguments, SECONDS)
        if said.code:
            raise output.locked(said.err) or Broken(self._secretless(output.broken(said, None)))
        return said

    def _run(
        self,
        at: Workspace,
        arguments: tuple[str, ...],
        seconds: int,
        started: Callable[[int], None] = lambda _pid: None,
    ) -> output.Said:
        binary = shutil.which("pulumi", path=at.env.get("PATH"))
        if binary is None:
            raise BuildFault("there is no `pulumi` on PATH: install the pinned CLI in the build")
        command = [binary, *arguments, "-s", self._program.stack, "--non-interactive"]
        process = subprocess.Popen(  # noqa: S603 - our own argument list, no shell
            [*command, "--color", "never"],
            cwd=at.folder,
            env=dict(at.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        started(process.pid)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            out, err = _interrupted(process)
            raise BuildFault(
                f"`pulumi {arguments[0]}` took more than {seconds} seconds and was interrupted: "
                f"{self._secretless(err)[-300:]}"
            ) from None
        here = f"{at.folder}{os.sep}"  # the program's own file names are enough
        return output.Said(process.returncode, out.replace(here, ""), err.replace(here, ""))

    def _secretless(self, text: str) -> str:
        return text.replace(self._passphrase, "[secret]") if self._passphrase else text

    @contextmanager
    def _workspace(self, files: Files) -> Iterator[Workspace]:
        """The program in a folder of its own, its packages linked, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="backburn-") as name:
            root = Path(name).resolve()
            for file, data in files.items():
                path = root / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            folder = (root / self._program.directory).resolve()
            env = self._environment()
            self._link_packages(files, folder, env)
            yield Workspace(folder, env)

    def _environment(self) -> dict[str, str]:
        home = self._cache / "pulumi-home"
        home.mkdir(parents=True, exist_ok=True)
        passed = {k: v for k, v in self._environ.items() if k in PASSED or k.startswith("AWS_")}
        return passed | {
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": self._program.backend,
            "PULUMI_CONFIG_PASSPHRASE": self._passphrase,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def _link_packages(self, files: Files, folder: Path, env: dict[str, str]) -> None:
        lockfile = files.get(under(self._program.directory, "requirements.txt"))
        if lockfile is None:
            raise Broken("the program has no requirements.txt with hashes: lock its dependencies")
        made = Environments(self._cache, self._environ).virtualenv(lockfile)
        runtime = project_of(files, self._program.directory).get("runtime")
        options = runtime.get("options") if isinstance(runtime, dict) else None
        named = (options or {}).get("virtualenv")
        if not isinstance(named, str):  # the host takes the first Python on PATH
            env["PATH"] = f"{made / 'bin'}{os.pathsep}{env.get('PATH', '')}"
            return
        link = Path(os.path.normpath(folder / named))
        if not link.is_relative_to(folder) or link == folder or link.exists():
            raise Broken(f"Pulumi.yaml's virtualenv {named!r} is no free place in the program")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(made, target_is_directory=True)


def _interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


@contextmanager
def _private_file() -> Iterator[Path]:
    """A file nobody else reads: a plan holds inputs."""
    with tempfile.TemporaryDirectory(prefix="backburn-plan-") as name:
        yield Path(name) / "plan.json"
