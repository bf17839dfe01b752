"""The Pulumi engine: the fake and the real CLI keep one contract.

The real one runs on the sandbox's language host and provider, against a local AWS, with its state
in a folder.
"""

# ruff: noqa: D102  # the world of the contract says what each does

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backburn import checkpoint, gate
from backburn.adapters.pulumi_cli import PulumiCli
from backburn.catalogue import resize
from backburn.errors import Broken, BuildFault, Drifted, Locked
from backburn.patch import Files
from backburn.ports import Engine
from backburn.preview import Plan, Step, canonical_plan, mirror, words
from backburn.update import Holder, Update, finished, same_step
from backburn.workload import Program
from sandbox.processes import Processes
from sandbox.pulumi import cli
from sandbox.pulumi.stack import HOSTS, ROOT
from tests.fakes.builds import FakeBuilds
from tests.fakes.engine import SERVICE, TASK, FakeEngine
from tests.fakes.program import CONFIG, MAIN, shop
from tests.fakes.shop import Shop
from tests.unit.test_catalogue import allowed

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSPHRASE = "correct-horse-battery"
CHANGE = resize(allowed(), {"cpu": "512", "memory": "1024"}, "own_cpu")


def sized(cpu: str, memory: str) -> dict[str, bytes]:
    """The shop with tasks of this size."""
    text = MAIN.replace('memory="1024"', f'memory="{memory}"').replace('"512"', f'"{cpu}"')
    return shop(**{"__main__.py": text})


LARGER = sized("1024", "2048")


class World:
    """A deployed shop, and an engine on it."""

    engine: Engine

    def lock(self, host: str, pid: int) -> None:
        """Somebody's lock."""
        raise NotImplementedError

    def refuse(self) -> Files:
        """A program whose task definition the cloud refuses."""
        raise NotImplementedError

    def state(self) -> checkpoint.Checkpoint:
        """The stack's state."""
        return checkpoint.read(self.engine.export(shop()))

    def previewed(self, files: Files) -> Plan:
        """What a program would do."""
        return canonical_plan(self.engine.preview(files), self.state().providers)

    def applied(self, files: Files, approved: tuple[Step, ...]) -> Update:
        """Plan and apply."""
        started = Update(kind="apply", effects="e", result="started", started=NOW)
        run = self.engine.up(files, self.engine.plan(files)[1], lambda _pid: None)
        return finished(started, run, approved, self.state().providers, NOW)


class FakeWorld(World):
    """In memory."""

    def __init__(self) -> None:
        self.fake = FakeEngine(shop())
        self.engine = self.fake

    def lock(self, host: str, pid: int) -> None:
        self.fake.holders.append((host, pid))

    def refuse(self) -> Files:
        self.fake.fails_at = TASK
        return sized("1024", "1024")


class RealWorld(World):
    """The CLI, a state folder, and a local AWS."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._locks = folder / "state" / ".pulumi" / "locks" / "organization" / "shop" / "dev"
        self.environ = environ
        backend = f"file://{folder / 'state'}"
        (folder / "state").mkdir()
        self.program = Program(bundle="b", stack="dev", backend=backend, passphrase_secret="p")
        self.cache = Path(os.environ.get("BACKBURN_CACHE") or Path.home() / ".cache" / "backburn")
        self.engine = PulumiCli(self.program, PASSPHRASE, self.cache, environ)
        self._initialise(folder)
        assert self.applied(shop(), ()).executed

    def locks(self) -> list[Path]:
        """The lock files of the stack."""
        return list(self._locks.glob("*.json"))

    def lock(self, host: str, pid: int) -> None:
        self._locks.mkdir(parents=True, exist_ok=True)
        lock = {"pid": pid, "username": "u", "hostname": host, "timestamp": "2026-11-24T05:00:00Z"}
        (self._locks / f"{host}-{pid}.json").write_text(json.dumps(lock))

    def refuse(self) -> Files:
        return sized("1024", "1024")  # what the workshop prints as its fix

    def _initialise(self, folder: Path) -> None:
        (folder / "Pulumi.yaml").write_bytes(shop()["Pulumi.yaml"])
        command = [str(cli.path()), "stack", "init", "dev", "--non-interactive"]
        env = {"PULUMI_BACKEND_URL": self.program.backend, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        env |= {"PULUMI_HOME": str(folder / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
        subprocess.run(command, cwd=folder, env=dict(self.environ) | env, check=True)
        # The salt of the passphrase belongs to the stack's file; the shop has no secrets.


class Killer(FakeBuilds):
    """A build whose engine is killed as soon as it has locked the stack."""

    def __init__(self, real: RealWorld, build: str) -> None:
        super().__init__(build, socket.gethostname())
        self._real = real

    def holder(self, pid: int) -> Holder:
        threading.Thread(target=self._kill, args=(pid,)).start()
        return super().holder(pid)

    def _kill(self, pid: int) -> None:
        for _ in range(2000):
            if self._real.locks():
                return os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorld]:
    """One deployed stack for this file; every test leaves it as it found it."""
    folder = tmp_path_factory.mktemp("engine")
    processes = Processes(folder / "logs", ROOT)
    part = processes.start(
        "aws",
        [
            str(ROOT / ".venv-cloud" / "bin" / "python"),
            *("-m", "sandbox.cloud", "--port", str(_free_port())),
            *("--state-dir", str(folder / "aws"), "--outbox", str(folder / "outbox")),
        ],
        {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT)},
    )
    search = [str(cli.path().parent), str(HOSTS), os.environ["PATH"]]
    environ = {
        "PATH": os.pathsep.join(search),
        "HOME": os.environ["HOME"],
        "AWS_ENDPOINT_URL": part.url(),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    yield RealWorld(folder, environ)
    processes.close()


@pytest.fixture(params=["fake", "pulumi"])
def world(request: pytest.FixtureRequest) -> World:
    """Either."""
    if request.param == "fake":
        return FakeWorld()
    found: RealWorld = request.getfixturevalue("real")
    return found


def test_a_deployed_program_would_change_nothing(world: World) -> None:
    """The clean-before check holds on a fresh stack, and names what stays."""
    plan = world.previewed(shop())
    gate.require_clean(plan)
    assert {TASK, SERVICE} <= set(plan.same)


def test_a_larger_task_passes_the_gate(world: World) -> None:
    """The real preview is the one the gate was written for."""
    before, after = world.previewed(shop()), world.previewed(LARGER)
    gate.judge(CHANGE, before, after)
    assert [words(s) for s in after.steps] == [
        words(s) for s in FakeWorld().previewed(LARGER).steps
    ]


def test_apply_and_rollback_do_what_was_foreseen(world: World) -> None:
    """There and back again by plan; each is the other's mirror."""
    steps = world.previewed(LARGER).steps
    there = world.applied(LARGER, steps)
    assert (there.result, there.differences) == ("succeeded", ())
    assert there.task_definition.endswith("task-definition/shop:2")
    gate.require_clean(world.previewed(LARGER))

    way_back = world.previewed(shop()).steps
    assert all(same_step(m, s) for m, s in zip(mirror(steps), way_back, strict=True))
    back = world.applied(shop(), mirror(steps))
    assert (back.result, back.differences) == ("succeeded", ())
    gate.require_clean(world.previewed(shop()))


def test_a_plan_holds_the_engine(world: World) -> None:
    """Another program than the planned one changes nothing."""
    plan = world.engine.plan(LARGER)[1]
    run = world.engine.up(sized("2048", "4096"), plan, lambda _pid: None)
    assert not run.ok
    assert "violates plan" in run.said
    gate.require_clean(world.previewed(shop()))


def test_a_cloud_that_refuses_is_told_with_its_words(world: World) -> None:
    """`pulumi preview` passes an illegal pair; only the apply fails, and says where."""
    files = world.refuse()
    steps = world.previewed(files).steps
    update = world.applied(files, steps)
    assert (update.result, update.failed, update.missing) == ("failed", (TASK,), (SERVICE,))
    assert "No Fargate configuration exists for given values" in update.said


def test_a_lock_names_its_holder_and_can_be_removed(world: World) -> None:
    """Who, so that only our own is removed; the engine's process is known before it works."""
    told: list[int] = []
    plan = world.engine.plan(shop())[1]
    world.lock("build-host", 4711)
    with pytest.raises(Locked) as locked:
        world.engine.up(shop(), plan, told.append)
    assert locked.value.holders == (("build-host", 4711),)
    assert len(told) == 1
    world.engine.unlock(shop())
    assert world.engine.up(shop(), plan, told.append).ok


def test_a_program_that_does_not_run_says_its_own_lines(world: World) -> None:
    """An exception, with its text."""
    with pytest.raises(Broken, match=r"the program does not run.*boom"):
        world.engine.preview(shop(**{"__main__.py": f'{MAIN}\nraise ValueError("boom")\n'}))


def test_undeployed_changes_are_seen(world: World) -> None:
    """A value of stack configuration reaches the service."""
    files = shop(**{"Pulumi.dev.yaml": CONFIG.replace("desired: 2", "desired: 3")})
    with pytest.raises(Drifted, match="desiredCount 2 -> 3"):
        gate.require_clean(world.previewed(files))


def test_the_state_is_the_same_until_something_changes(world: World) -> None:
    """Previews leave no trace in what is bound."""
    before = world.state()
    world.previewed(LARGER)
    assert world.state().sha256 == before.sha256
    assert set(before.providers.values()) == {"aws 7.51.1"}
    assert before.pending == ()


def test_versions_are_known(world: World) -> None:
    """Of what turns the program into API calls."""
    versions, host = world.engine.versions(shop())
    assert versions[0].isdigit()
    assert host


def test_a_lock_of_a_killed_engine_is_removed_by_the_next_build(real: RealWorld) -> None:
    """Killed with the lock in its hand, before the first step; the same approval still holds."""
    world = Shop()
    world.engine = real.engine  # type: ignore[assignment]
    world.builds = Killer(real, "deploy:1")
    world.approved()
    with pytest.raises(BuildFault, match="applied: nothing"):
        world.apply()
    world.builds = FakeBuilds("deploy:2", socket.gethostname())
    with pytest.raises(Locked, match=socket.gethostname()):
        world.apply()
    world.builds.over.add("deploy:1")
    assert world.apply()["OUTCOME"] == "applied"
    assert any("removed the lock" in note for note in world.notes)
    assert world.roll_back()["OUTCOME"] == "rolled_back"


def test_a_stack_that_does_not_exist_is_told(real: RealWorld) -> None:
    """By name; nothing is created."""
    program = real.program.model_copy(update={"stack": "prod"})
    engine = PulumiCli(program, PASSPHRASE, real.cache, real.environ)
    for ask in (engine.export, engine.preview):  # the order in which PreviewPatch asks
        with pytest.raises(Broken, match=r"the stack does not exist.*prod"):
            ask(shop())


@pytest.mark.parametrize(
    ("main", "said"),
    [
        ("import (", "SyntaxError"),
        ("import sys\nsys.exit(3)", "exit"),
        (MAIN.replace('"desired"', '"wanted"'), "wanted"),
    ],
)
def test_every_way_a_program_breaks_is_told(real: RealWorld, main: str, said: str) -> None:
    """Syntax, keyword, configuration, exit."""
    with pytest.raises(Broken, match=said):
        real.engine.preview(shop(**{"__main__.py": main}))


def test_law_7_the_passphrase_is_in_nothing_we_say(real: RealWorld) -> None:
    """A program that prints its environment tells it to nobody."""
    leak = f'{MAIN}\nimport os\nraise ValueError(os.environ["PULUMI_CONFIG_PASSPHRASE"])\n'
    with pytest.raises(Broken) as broken:
        real.engine.preview(shop(**{"__main__.py": leak}))
    assert PASSPHRASE not in str(broken.value)
    assert "[secret]" in str(broken.value)


def test_a_program_sees_only_what_it_needs(real: RealWorld) -> None:
    """The job's own environment stays outside."""
    engine = PulumiCli(
        real.program, PASSPHRASE, real.cache, dict(real.environ) | {"BACKBURN_MAC_KEY": "arn"}
    )
    leak = f'{MAIN}\nimport os\nraise ValueError(sorted(n for n in os.environ if "MAC" in n))\n'
    with pytest.raises(Broken, match=r"ValueError: \[\]"):
        engine.preview(shop(**{"__main__.py": leak}))


@pytest.mark.parametrize("virtualenv", ["../outside", "/opt/venv", ".", "__main__.py"])
def test_a_virtualenv_is_linked_within_the_program_only(real: RealWorld, virtualenv: str) -> None:
    """A bundle cannot make us write elsewhere."""
    project = (
        shop()["Pulumi.yaml"].decode().replace("virtualenv: venv", f"virtualenv: {virtualenv}")
    )
    with pytest.raises(Broken, match="no free place"):
        real.engine.preview(shop(**{"Pulumi.yaml": project}))


def test_a_program_without_a_lockfile_is_told(real: RealWorld) -> None:
    """Versions are bound, so they must be locked."""
    files: dict[str, Any] = shop()
    del files["requirements.txt"]
    with pytest.raises(Broken, match=r"requirements\.txt with hashes"):
        real.engine.preview(files)
