"""The chatbot's program on the real engine, our host and our provider, against the local AWS."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox.processes import Processes
from sandbox.pulumi import cli
from sandbox.pulumi.provider.types import RESOURCES
from sandbox.pulumi.stack import ROOT, STATE_BUCKET, Pulumi, StackError, bundle, deploy_chatbot

KEY = "hcaik_a_key_nobody_may_read"
CONFIG = {
    "otlpEndpoint": "http://127.0.0.1:4318",
    "bedrockEndpoint": "http://127.0.0.1:4319",
    "honeycombKey": KEY,
}
TASK = ("aws:ecs/taskDefinition:TaskDefinition", "otel-ai-chatbot-task")
SERVICE = ("aws:ecs/service:Service", "otel-ai-chatbot-service")
Changes = dict[tuple[str, str], tuple[str, list[str]]]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local AWS for this file."""
    directory = tmp_path_factory.mktemp("aws")
    processes = Processes(directory / "logs", ROOT)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    part = processes.start(
        "aws",
        [
            str(ROOT / ".venv-cloud" / "bin" / "python"),
            *("-m", "sandbox.cloud", "--port", str(port)),
            *("--state-dir", str(directory / "state"), "--outbox", str(directory / "outbox")),
        ],
        {"PATH": "/usr/bin:/bin", "HOME": str(directory), "PYTHONPATH": str(ROOT)},
    )
    yield part.url()
    processes.close()


@pytest.fixture(scope="module")
def workdir(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The patient, deployed once; cli.path() gets the CLI if this machine has none."""
    assert cli.path().exists()
    directory = tmp_path_factory.mktemp("patient")
    outputs = deploy_chatbot(endpoint, directory, CONFIG)
    assert outputs["ecsTaskDefinitionArn"].endswith("task-definition/otel-ai-chatbot-app:1")
    assert outputs["ecsClusterName"] == outputs["ecsServiceName"] == "otel-ai-chatbot-dev"
    assert outputs["albUrl"].startswith("http://otel-ai-chatbot-dev")
    return directory


@pytest.fixture
def pulumi(endpoint: str, workdir: Path) -> Iterator[Pulumi]:
    """The CLI on the deployed program; afterwards the program's text is as it was."""
    pulumi = Pulumi(workdir / "program", endpoint, workdir / "pulumi-home")
    texts = {source: source.read_text() for source in sources(pulumi)}
    yield pulumi
    for source, text in texts.items():
        source.write_text(text)


@pytest.fixture
def changing(pulumi: Pulumi) -> Iterator[Pulumi]:
    """The same for a test that changes the world: afterwards the program is applied again."""
    texts = {source: source.read_text() for source in sources(pulumi)}
    yield pulumi
    for source, text in texts.items():
        source.write_text(text)
    pulumi.run("up", "--yes", "--skip-preview", "--refresh")


def edit(pulumi: Pulumi, *replacements: tuple[str, str]) -> None:
    """Replace each of these, which the program says once."""
    for old, new in replacements:
        (source,) = (path for path in sources(pulumi) if old in path.read_text())
        assert source.read_text().count(old) == 1, old
        source.write_text(source.read_text().replace(old, new))


def sources(pulumi: Pulumi) -> list[Path]:
    """The program's modules."""
    return sorted(pulumi.program.glob("*.py"))


def resize(pulumi: Pulumi, cpu: int, memory: int) -> None:
    """Give the task another size."""
    edit(pulumi, ('cpu="512"', f'cpu="{cpu}"'), ('memory="1024"', f'memory="{memory}"'))


def preview(pulumi: Pulumi, *flags: str) -> Changes:
    """What would change: (type, name) -> (op, paths)."""
    steps = json.loads(pulumi.run("preview", "--json", "--refresh", *flags))["steps"]
    return {
        (step["urn"].split("::")[2], step["urn"].split("::")[3]): (
            step["op"],
            sorted(step.get("detailedDiff") or ()),
        )
        for step in steps
        if step["op"] not in ("same", "refresh")
    }


def resources(pulumi: Pulumi) -> list[dict[str, Any]]:
    """What the state holds."""
    deployment = json.loads(pulumi.run("stack", "export"))["deployment"]
    return list(deployment.get("resources", []))


def client(endpoint: str, service: str) -> Any:
    """One of the local AWS's clients."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def running(endpoint: str) -> dict[str, Any]:
    """The chatbot's service as ECS describes it."""
    name = "otel-ai-chatbot-dev"
    return dict(
        client(endpoint, "ecs").describe_services(cluster=name, services=[name])["services"][0]
    )


def test_a_deployed_program_previews_as_no_change(pulumi: Pulumi) -> None:
    """Every type of the provider is in the program, and none of them shows drift."""
    assert {*RESOURCES} <= {resource["type"] for resource in resources(pulumi)}
    assert preview(pulumi) == {}


def test_a_refresh_without_drift_leaves_the_state_as_it_was(pulumi: Pulumi) -> None:
    """A create ends with a read, as in the real provider: a refresh learns nothing new."""

    def held() -> dict[str, tuple[Any, Any]]:
        return {
            r["urn"]: (r.get("inputs"), r.get("outputs"))
            for r in resources(pulumi)
            if "SecretVersion" not in r["type"]  # encrypted anew each time
        }

    before = held()
    pulumi.run("refresh", "--yes", "--skip-preview")
    assert held() == before
    assert KEY not in pulumi.run("stack", "export")  # although the refresh read it


def test_the_state_lies_on_s3(pulumi: Pulumi, endpoint: str) -> None:
    """One backend URL for AWS and sandbox: the endpoint comes from the environment."""
    found = client(endpoint, "s3").list_objects_v2(Bucket=STATE_BUCKET)["Contents"]
    assert ".pulumi/stacks/otel-ai-chatbot-infra/dev.json" in {entry["Key"] for entry in found}


def test_nothing_is_fetched_by_the_engine(workdir: Path) -> None:
    """The plugin cache stays empty: host and provider are ours."""
    assert list((workdir / "pulumi-home").glob("plugins/*")) == []


def test_a_larger_task_is_one_replacement_and_one_update(pulumi: Pulumi) -> None:
    """Nothing but the task definition and the service that runs it."""
    resize(pulumi, 1024, 2048)
    assert preview(pulumi) == {
        TASK: ("replace", ["cpu", "memory"]),
        SERVICE: ("update", ["taskDefinition"]),
    }


def test_a_plan_is_applied_as_it_was_previewed(changing: Pulumi, endpoint: str) -> None:
    """First preview --save-plan, then up --plan; the revision before stays for a rollback."""
    before = running(endpoint)["taskDefinition"]
    resize(changing, 1024, 2048)
    preview(changing, "--save-plan", "plan.json")
    changing.run("up", "--yes", "--skip-preview", "--refresh", "--plan", "plan.json")
    ecs = client(endpoint, "ecs")
    after = ecs.describe_task_definition(taskDefinition=running(endpoint)["taskDefinition"])
    assert (after["taskDefinition"]["cpu"], after["taskDefinition"]["memory"]) == ("1024", "2048")
    kept = ecs.describe_task_definition(taskDefinition=before)["taskDefinition"]
    assert kept["status"] == "ACTIVE"


def test_another_change_than_the_planned_one_is_refused(pulumi: Pulumi, endpoint: str) -> None:
    """The engine compares with the plan before it touches anything."""
    before = running(endpoint)["taskDefinition"]
    resize(pulumi, 1024, 2048)
    preview(pulumi, "--save-plan", "plan.json")
    edit(pulumi, ('cpu="1024"', 'cpu="2048"'), ('memory="2048"', 'memory="4096"'))
    applied = pulumi.attempt("up", "--yes", "--skip-preview", "--refresh", "--plan", "plan.json")
    assert applied.returncode == 1
    assert "violates plan" in applied.stdout + applied.stderr
    assert running(endpoint)["taskDefinition"] == before


def test_an_illegal_fargate_pair_is_refused_by_the_service(pulumi: Pulumi, endpoint: str) -> None:
    """As on AWS it fails at RegisterTaskDefinition, and nothing has changed."""
    before = running(endpoint)["taskDefinition"]
    edit(pulumi, ('cpu="512"', 'cpu="1024"'))
    applied = pulumi.attempt("up", "--yes", "--skip-preview")
    assert applied.returncode == 1
    message = "ClientException: No Fargate configuration exists for given values"
    assert message in applied.stdout + applied.stderr
    assert running(endpoint)["taskDefinition"] == before


def test_a_hand_at_the_service_is_drift(changing: Pulumi, endpoint: str) -> None:
    """Another task definition and count than the program's show as an update of the service."""
    family = "otel-ai-chatbot-app"
    ecs = client(endpoint, "ecs")
    task = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    other = ecs.register_task_definition(
        family=family, containerDefinitions=task["containerDefinitions"], cpu="256", memory="512"
    )["taskDefinition"]["taskDefinitionArn"]
    name = "otel-ai-chatbot-dev"
    ecs.update_service(cluster=name, service=name, taskDefinition=other, desiredCount=3)
    assert preview(changing) == {SERVICE: ("update", ["desiredCount", "taskDefinition"])}
    drifted = changing.attempt("refresh", "--preview-only", "--expect-no-changes")
    assert drifted.returncode == 7


def test_what_somebody_deleted_is_created_again(changing: Pulumi, endpoint: str) -> None:
    """A resource that is gone is no error of a refresh."""
    client(endpoint, "logs").delete_log_group(logGroupName="/ecs/otel-ai-chatbot-dev")
    client(endpoint, "iam").delete_role_policy(
        RoleName="otel-ai-chatbot-dev-task", PolicyName="models"
    )
    assert {key: op for key, (op, _) in preview(changing).items()} == {
        ("aws:cloudwatch/logGroup:LogGroup", "otel-ai-chatbot-logs"): "create",
        ("aws:iam/rolePolicy:RolePolicy", "otel-ai-chatbot-models"): "create",
    }


def test_settings_of_every_type_change_in_place(changing: Pulumi) -> None:
    """An update is applied, read back, and clean afterwards."""
    edit(
        changing,
        ('tags = {"app": APP, "stack": stack}', 'tags = {"app": APP, "team": "chat"}'),
        ("idle_timeout=120", "idle_timeout=90"),
        ("unhealthy_threshold=3", "unhealthy_threshold=2"),
        ("deregistration_delay=30", "deregistration_delay=10"),
        ("retention_in_days=7", "retention_in_days=30"),
        ('from_port=80, to_port=80, cidr_blocks=["0.0.0.0/0"]',
         'from_port=80, to_port=80, cidr_blocks=["10.0.0.0/8"]'),
        ('"bedrock:InvokeModelWithResponseStream"]', '"bedrock:Converse"]'),
        ('value="enabled"', 'value="disabled"'),
        ("deployment_maximum_percent=200", "deployment_maximum_percent=150"),
    )  # fmt: skip
    changes = preview(changing)
    assert {op for op, _ in changes.values()} == {"update"}
    paths = {kind: found for (kind, _), (_, found) in changes.items()}
    assert paths["aws:lb/targetGroup:TargetGroup"] == [
        "deregistrationDelay",
        "healthCheck.unhealthyThreshold",
        "tags.stack",
        "tags.team",
    ]
    assert paths["aws:iam/rolePolicy:RolePolicy"] == ["policy"]
    changing.run("up", "--yes", "--skip-preview")
    assert preview(changing) == {}


def test_a_name_of_the_programs_own_is_deleted_before_it_is_replaced(
    changing: Pulumi, endpoint: str
) -> None:
    """Two log groups cannot bear one name, and the class of one is fixed at its creation."""
    edit(
        changing,
        ("retention_in_days=7", 'retention_in_days=7, log_group_class="INFREQUENT_ACCESS"'),
    )
    changing.run("up", "--yes", "--skip-preview")
    found = client(endpoint, "logs").describe_log_groups(logGroupNamePrefix="/ecs/otel")
    assert [group["logGroupClass"] for group in found["logGroups"]] == ["INFREQUENT_ACCESS"]


def test_a_secret_is_in_no_preview(pulumi: Pulumi) -> None:
    """Not even when it changes; the container's definition only names it."""
    edit(pulumi, ('f"x-honeycomb-team={key}"', 'f"x-honeycomb-team={key},x-more=1"'))
    shown = pulumi.run("preview", "--json", "--refresh")
    assert "[secret]" in shown
    assert KEY not in shown


def test_an_opensearch_is_asked_where_the_stack_names_one(pulumi: Pulumi) -> None:
    """The task is told of it, and its password lies in a secret of its own."""
    edit(
        pulumi,
        ('config.get("opensearchEndpoint")', '"https://search.example.com"'),
        ('config.require("opensearchUsername")', '"chatbot"'),
        ('config.require_secret("opensearchPassword")', 'pulumi.Output.secret("hush-hush")'),
    )
    changes = preview(pulumi)
    for kind in ("secret:Secret", "secretVersion:SecretVersion"):
        name = (f"aws:secretsmanager/{kind}", "otel-ai-chatbot-opensearch-password")
        assert changes[name][0] == "create"
    assert changes[TASK] == ("replace", ["containerDefinitions"])
    assert "hush-hush" not in pulumi.run("preview", "--json", "--refresh")


def test_the_providers_note_of_its_defaults_is_in_the_inputs(pulumi: Pulumi) -> None:
    """Whoever reads previews meets `__defaults`, as with the real provider; outputs have none."""
    task = next(r for r in resources(pulumi) if r["type"] == TASK[0])
    assert task["inputs"]["__defaults"] == ["trackLatest"]
    assert task["inputs"]["runtimePlatform"]["__defaults"] == []
    assert "__defaults" not in json.dumps(task["outputs"])


def test_a_programs_mistake_is_told_with_its_own_lines(pulumi: Pulumi) -> None:
    """No frame of the host or the SDK stands above the program's."""
    edit(pulumi, ('cpu="512"', "cpu=config.require('size')"))
    failed = pulumi.attempt("preview", "--non-interactive")
    assert failed.returncode == 1
    said = failed.stdout + failed.stderr
    assert "Missing required configuration variable 'otel-ai-chatbot-infra:size'" in said
    assert "run_program" not in said


def test_an_exception_of_the_program_is_told_with_its_own_lines(pulumi: Pulumi) -> None:
    """The traceback begins in the program."""
    edit(pulumi, ('APP = "otel-ai-chatbot"', 'APP = "otel-ai-chatbot"\n1 / 0'))
    failed = pulumi.attempt("preview")
    assert failed.returncode == 1
    said = re.sub(r"\s+", " ", failed.stdout + failed.stderr)
    assert "ZeroDivisionError: division by zero" in said
    assert "__main__.py" in said.split("Traceback (most recent call last):")[1].split("line")[0]


def test_destroy_leaves_nothing(endpoint: str, workdir: Path, tmp_path: Path) -> None:
    """A second stack of the same program comes and goes."""
    program = tmp_path / "program"
    shutil.copytree(workdir / "program", program, symlinks=True)
    (program / "Pulumi.dev.yaml").rename(program / "Pulumi.gone.yaml")
    pulumi = Pulumi(program, endpoint, workdir / "pulumi-home", stack="gone")
    pulumi.run("stack", "init", "gone")
    pulumi.run("up", "--yes", "--skip-preview")
    pulumi.run("destroy", "--yes", "--skip-preview")
    assert resources(pulumi) == []
    clusters = client(endpoint, "ecs").describe_clusters(clusters=["otel-ai-chatbot-gone"])
    assert [c for c in clusters["clusters"] if c["status"] == "ACTIVE"] == []
    roles = {r["RoleName"] for r in client(endpoint, "iam").list_roles()["Roles"]}
    assert "otel-ai-chatbot-gone-task" not in roles


def test_a_failing_command_says_what_pulumi_said(pulumi: Pulumi) -> None:
    """Whoever waits for the sandbox gets the reason, not a status."""
    with pytest.raises(StackError, match=r"(?s)pulumi config get.*nothing.*not found"):
        pulumi.run("config", "get", "nothing")


def test_a_bundle_is_the_same_for_the_same_files(workdir: Path, tmp_path: Path) -> None:
    """Program, lockfile and stack file; no virtualenv, no moment of the day."""
    copy = tmp_path / "copy"
    shutil.copytree(workdir / "program", copy, symlinks=True)
    (copy / "__pycache__").mkdir(exist_ok=True)
    (copy / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert bundle(copy) == bundle(workdir / "program")
    assert len(bundle(copy)) < 100_000
