"""One build: its phases in order, its shell, and what is told about them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from . import build_environment, build_files, buildspec
from .caller import Caller
from .settings import Settings


class PhaseError(Exception):
    """A phase ended badly; the code is CodeBuild's status code of the phase's context."""

    def __init__(self, message: str, code: str = "COMMAND_EXECUTION_ERROR") -> None:
        super().__init__(message)
        self.code = code


class Build:
    """A build in progress; `record` is what BatchGetBuilds answers, updated as it goes."""

    def __init__(
        self,
        record: dict[str, Any],
        project: dict[str, Any],
        caller: Caller,
        emit: Callable[[str], None],
        settings: Settings,
        refusal: str | None = None,
    ) -> None:
        self.id: str = record["id"]
        self.record, self.project, self.caller = record, project, caller
        self.settings, self.refusal = settings, refusal
        self._emit = emit
        self._secrets: list[str] = []
        self._spec = buildspec.Buildspec()
        self._env: dict[str, str] = {}
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        minutes = float(project.get("timeoutInMinutes") or 60)
        self._deadline = time.monotonic() + minutes * settings.build_minute

    def stop(self) -> None:
        """End it and everything it started."""
        self._stopped.set()
        self._kill()

    def run(self) -> None:
        """Go through the phases; the record says how it ended."""
        with tempfile.TemporaryDirectory(
            prefix="codebuild-", ignore_cleanup_errors=True
        ) as directory:
            result = self._phases(Path(directory))
            self.record["exportedEnvironmentVariables"] = buildspec.exported(
                Path(directory), self._spec.exported
            )
        if self._stopped.is_set():
            result = "STOPPED"
        ended = int(time.time())
        self.record["phases"].append({"phaseType": "COMPLETED", "startTime": ended})
        self.record.update(
            currentPhase="COMPLETED", endTime=ended, buildStatus=result, buildComplete=True
        )

    def _phases(self, work: Path) -> str:
        (work / "src").mkdir()
        result = "SUCCEEDED"
        before: list[tuple[str, Callable[[], None]]] = [
            ("SUBMITTED", lambda: None),
            ("QUEUED", lambda: None),
            ("PROVISIONING", self._provision),
            ("DOWNLOAD_SOURCE", lambda: self._download(work)),
        ]
        for name, action in before:
            if result == "SUCCEEDED":
                result = self._phase(name, action)
        for name in buildspec.PHASES:
            # Only a failed BUILD still runs its POST_BUILD; any other failure ends the build.
            after_failed_build = name == "post_build" and self._failed("BUILD")
            if result == "SUCCEEDED" or after_failed_build:
                ended = self._phase(name.upper(), partial(self._commands, name, work))
                result = ended if result == "SUCCEEDED" else result
        if result == "SUCCEEDED":
            result = self._phase("UPLOAD_ARTIFACTS", lambda: self._upload(work / "src"))
        self._phase("FINALIZING", lambda: None)
        return result

    def _phase(self, name: str, action: Callable[[], None]) -> str:
        begun = time.time()
        phase: dict[str, Any] = {"phaseType": name, "startTime": int(begun)}
        self.record["currentPhase"] = name
        self.record["phases"].append(phase)
        status = "SUCCEEDED"
        try:
            action()
        except Exception as error:  # noqa: BLE001 - a build must end, whatever its phases do
            status = self._why()
            code = error.code if isinstance(error, PhaseError) else "CLIENT_ERROR"
            phase["contexts"] = [{"statusCode": code, "message": self._masked(str(error))}]
            self._say(f"[Container] Phase context status code: {code} Message: {error}")
        phase.update(
            phaseStatus=status,
            endTime=int(time.time()),
            durationInSeconds=int(time.time() - begun),
        )
        self._say(f"[Container] Phase complete: {name} State: {status}")
        return status

    def _why(self) -> str:
        if self._stopped.is_set():
            return "STOPPED"
        return "TIMED_OUT" if time.monotonic() >= self._deadline else "FAILED"

    def _failed(self, phase: str) -> bool:
        return any(
            p["phaseType"] == phase and p["phaseStatus"] == "FAILED" for p in self.record["phases"]
        )

    def _provision(self) -> None:
        if self.refusal:
            raise PhaseError(self.refusal, "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE")

    def _download(self, work: Path) -> None:
        text = build_files.fetch(self.project.get("source") or {}, work / "src", self.caller)
        self._spec = buildspec.read(text)
        about = {
            "CODEBUILD_BUILD_ID": self.id,
            "CODEBUILD_BUILD_ARN": self.record["arn"],
            "CODEBUILD_BUILD_NUMBER": str(self.record["buildNumber"]),
            "CODEBUILD_INITIATOR": self.record["initiator"],
        }
        machine = build_environment.machine(self.settings, self.caller, work)
        declared = self.project["environment"].get("environmentVariables") or ()
        values, self._secrets = build_environment.declared(self._spec, declared, self.caller)
        self._env = machine | about | values

    def _commands(self, phase: str, work: Path) -> None:
        try:
            self._shell(self._spec.commands[phase], work)
        finally:
            self._shell(self._spec.last_commands[phase], work)

    def _shell(self, commands: Sequence[str], work: Path) -> None:
        if not commands or self._stopped.is_set():
            return
        succeeding = not any("contexts" in phase for phase in self.record["phases"])
        script = buildspec.script(commands, work, work / "src", succeeding=succeeding)
        self._process = subprocess.Popen(
            [self._spec.shell, *script],
            env=self._env,
            cwd=work,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        timer = threading.Timer(max(0.0, self._deadline - time.monotonic()), self._kill)
        timer.start()
        if self._stopped.is_set():  # it came between the check above and the start
            self._kill()
        try:
            for line in self._process.stdout or ():
                self._say(line.rstrip("\n"))
            if status := self._process.wait():
                raise PhaseError(f"Error while executing commands. Reason: exit status {status}")
        finally:
            timer.cancel()
            self._kill()
            self._process = None

    def _upload(self, source: Path) -> None:
        where = {"name": self.project["name"], **(self.project.get("artifacts") or {})}
        if location := build_files.keep(where, self._spec.artifacts, source, self.caller):
            self.record["artifacts"] = {"location": location}

    def _kill(self) -> None:
        if (process := self._process) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _say(self, line: str) -> None:
        self._emit(self._masked(line))

    def _masked(self, line: str) -> str:
        for secret in filter(None, self._secrets):
            line = line.replace(secret, "***")
        return line
