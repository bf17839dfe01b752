"""A Pulumi language host for Python, for machines where the official one cannot be had."""

# ruff: noqa: ARG002, N802  (the names and the unused arguments are those of the gRPC service)

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

from .plugin import serve
from .protocol import language_pb2, language_pb2_grpc, plugin_pb2
from .run_program import TOLD

RUNNER = Path(__file__).with_name("run_program.py")
VERSION = "0.1.0"

# Run in the program's interpreter: the provider packages its SDKs say they need, ...
PACKAGES = (
    "import glob,json,sys;print(json.dumps([json.load(open(f)) for d in sys.path "
    "for f in glob.glob(d+'/*/pulumi-plugin.json')]))"
)
# ... and everything that is installed.
INSTALLED = (
    "import json,importlib.metadata as m;print(json.dumps(sorted({(d.metadata['Name'],d.version) "
    "for d in m.distributions()})))"
)


class NoInterpreterError(FileNotFoundError):
    """The virtualenv that Pulumi.yaml names is not there."""


class Interpreter:
    """The Python that Pulumi.yaml names: `virtualenv`, `toolchain: uv`'s .venv, or python3."""

    def __init__(self, info: Any) -> None:
        options = MessageToDict(info.options)
        name = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else "")
        self.virtualenv = Path(info.root_directory, name) if name else None

    @property
    def executable(self) -> str:
        """Its path; NoInterpreterError says what to do if there is none."""
        if self.virtualenv is None:
            found = shutil.which("python3")
            if found:
                return found
            raise NoInterpreterError("no python3 on PATH")
        path = self.virtualenv / "bin" / "python"
        if not path.exists():
            raise NoInterpreterError(f"no Python at {path}; create the virtualenv first")
        return str(path)

    def environment(self) -> dict[str, str]:
        """What its processes run in, as an activated virtualenv would have it."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if self.virtualenv:
            environment["VIRTUAL_ENV"] = str(self.virtualenv)
            environment["PATH"] = f"{self.virtualenv / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return environment

    def ask(self, code: str) -> Any:
        """What a line of Python prints as JSON."""
        return json.loads(subprocess.check_output([self.executable, "-c", code]))


class Processes:
    """What this host started and ends with it."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process that is ended with the host."""
        process = subprocess.Popen(command, **options)
        self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Its exit code."""
        code = process.wait()
        self._running.discard(process)
        return code

    def end(self) -> None:
        """End whatever still runs."""
        for process in list(self._running):
            process.terminate()


class PythonHost(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language."""

    def __init__(self) -> None:
        self.processes = Processes()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing to agree on."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Who this is."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def RuntimeOptionsPrompts(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing to ask a person."""
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The program's interpreter and its version."""
        executable = Interpreter(request.info).executable
        said = subprocess.check_output([executable, "-V"], text=True)
        return language_pb2.AboutResponse(executable=executable, version=said.split()[1])

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The providers that the installed SDKs belong to."""
        packages = [
            plugin_pb2.PackageDependency(
                name=found["name"],
                kind="resource",
                version=found.get("version", ""),
                server=found.get("server", ""),
            )
            for found in Interpreter(request.info).ask(PACKAGES)
            if found.get("resource")
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What is installed beside the program."""
        dependencies = [
            language_pb2.DependencyInfo(name=name, version=version)
            for name, version in Interpreter(request.info).ask(INSTALLED)
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """`pulumi install`: the virtualenv, then requirements.txt into it."""
        interpreter = Interpreter(request.info)
        answer = language_pb2.InstallDependenciesResponse
        if interpreter.virtualenv and not interpreter.virtualenv.exists():
            create = [sys.executable, "-m", "venv", str(interpreter.virtualenv)]
            yield from (answer(stdout=line) for line in self._output(create))
        requirements = Path(request.info.program_directory, "requirements.txt")
        if requirements.exists():
            install = [interpreter.executable, "-m", "pip", "install", "-r", str(requirements)]
            yield from (answer(stdout=line) for line in self._output(install))

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A policy pack, or a plugin written in Python."""
        interpreter, info = Interpreter(request.info), request.info
        if request.kind == "analyzer":
            arguments = ["-m", "pulumi.policy", request.args[-1], info.program_directory]
        else:
            arguments = [info.program_directory, *request.args]
        process = self.processes.start(
            [interpreter.executable, "-u", *arguments],
            cwd=request.pwd,
            env=interpreter.environment() | _pairs(request.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        context.add_callback(self.processes.end)
        for line in process.stdout or ():
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=self.processes.wait(process))

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program against the engine's monitor."""
        interpreter = Interpreter(request.info)
        try:
            process = self.processes.start(
                [interpreter.executable, "-u", str(RUNNER), json.dumps(_job(request))],
                cwd=request.pwd,
                env=interpreter.environment(),
            )
        except OSError as error:
            return language_pb2.RunResponse(error=str(error))
        code = self.processes.wait(process)
        told = code in (0, TOLD)
        return language_pb2.RunResponse(
            bail=code == TOLD, error="" if told else f"the program exited with status {code}"
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """End the program."""
        self.processes.end()
        return empty_pb2.Empty()

    def _output(self, command: Sequence[str]) -> Iterator[bytes]:
        process = self.processes.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        yield from process.stdout or ()
        if code := self.processes.wait(process):
            raise RuntimeError(f"{' '.join(command)} exited with {code}")


def _job(request: Any) -> dict[str, Any]:
    info = request.info
    return {
        "program": os.path.normpath(Path(info.program_directory, info.entry_point)),
        "root": info.root_directory,
        "args": list(request.args),
        "config": dict(request.config),
        "secret_keys": list(request.configSecretKeys),
        "settings": {
            "monitor": request.monitor_address,
            "engine": sys.argv[-1],
            "project": request.project,
            "stack": request.stack,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization,
            "root_directory": info.root_directory,
        },
    }


def _pairs(lines: Sequence[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines if "=" in line)


def main() -> None:
    """Serve until the engine ends."""
    host = PythonHost()
    serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        at_end=host.processes.end,
    )
