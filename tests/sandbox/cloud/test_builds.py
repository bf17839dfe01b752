"""Builds run their buildspec for real, and end as CodeBuild's do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.cloud.world import ROLE, Cloud, eventually, zipped

SPEC = """
version: 0.2
env:
  variables: {FROM_SPEC: spec}
  exported-variables: [RESULT, UNSET]
phases:
  install: {commands: ["export CARRIED=yes", "cd sub"]}
  build:
    commands:
      - ./run.sh
      - echo "toolbox=$TOOLBOX spec=$FROM_SPEC carried=$CARRIED plain=$PLAIN secret=$SECRET"
      - export RESULT="$GIVEN"
      - sleep ${SECONDS_TO_SLEEP:-0}
      - exit ${STATUS:-0}
  post_build: {commands: ["echo succeeding=$CODEBUILD_BUILD_SUCCEEDING"]}
"""


@pytest.fixture(scope="module")
def project(cloud: Cloud) -> str:
    """A project with a zipped source and a secret."""
    cloud("s3").create_bucket(Bucket="source")
    files = {"buildspec.yml": SPEC, "sub/run.sh": "#!/bin/sh\necho ran\n"}
    archive = zipped(files, executable=("sub/run.sh",))
    cloud("s3").put_object(Bucket="source", Key="source.zip", Body=archive)
    secret = cloud("secretsmanager").create_secret(Name="token", SecretString='{"key": "hush"}')
    return create(
        cloud,
        {"type": "S3", "location": "source/source.zip"},
        [
            {"name": "PLAIN", "value": "project"},
            {"name": "SECRET", "value": secret["ARN"] + ":key", "type": "SECRETS_MANAGER"},
        ],
    )


def create(cloud: Cloud, source: dict[str, str], variables: list[dict[str, str]]) -> str:
    """Create a project."""
    name = f"project-{uuid.uuid4().hex[:8]}"
    cloud("codebuild").create_project(
        name=name,
        source=source,
        artifacts={"type": "NO_ARTIFACTS"},
        serviceRole=ROLE,
        timeoutInMinutes=60,
        environment={
            "type": "LINUX_CONTAINER",
            "image": "an image that is nowhere",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": variables,
        },
    )
    return name


def start(cloud: Cloud, project: str, **variables: str) -> str:
    """Start a build."""
    build = cloud("codebuild").start_build(
        projectName=project,
        environmentVariablesOverride=[{"name": k, "value": v} for k, v in variables.items()],
    )
    return str(build["build"]["id"])


def ended(cloud: Cloud, build: str) -> dict[str, Any]:
    """Its record once it has ended."""
    return eventually(
        lambda: cloud("codebuild").batch_get_builds(ids=[build])["builds"][0],
        lambda record: bool(record["buildComplete"]),
    )


def log(cloud: Cloud, build: dict[str, Any]) -> list[str]:
    """The lines of a build's log."""
    events = cloud("logs").get_log_events(
        logGroupName=build["logs"]["groupName"],
        logStreamName=build["logs"]["streamName"],
        startFromHead=True,
    )["events"]
    return [event["message"] for event in events]


def phases(build: dict[str, Any]) -> dict[str, str]:
    """How each phase ended."""
    return {p["phaseType"]: p.get("phaseStatus", "") for p in build["phases"]}


def task(project: str, **more: Any) -> dict[str, Any]:
    """A machine whose one state waits for a build."""
    return {
        "A": {
            "Type": "Task",
            "Resource": "arn:aws:states:::codebuild:startBuild.sync",
            "Arguments": {"ProjectName": project, **more.pop("arguments", {})},
            "End": True,
            **more,
        }
    }


def test_variables_files_and_the_directory_carry_over(cloud: Cloud, project: str) -> None:
    """Source, run bits, exported variables and the working directory reach the next phase."""
    build = ended(cloud, start(cloud, project, PLAIN="override"))
    assert build["buildStatus"] == "SUCCEEDED"
    lines = log(cloud, build)
    assert "ran" in lines
    assert "toolbox=full spec=spec carried=yes plain=override secret=***" in lines


@pytest.mark.parametrize("value", ['it\'s "quoted" $HOME `x`', "two\nlines\\n", "ünïcode = é"])
def test_exported_variables_keep_every_character(cloud: Cloud, project: str, value: str) -> None:
    """What a build exports arrives as it was, and what it never set is empty."""
    build = ended(cloud, start(cloud, project, GIVEN=value))
    assert [
        {"name": "RESULT", "value": value},
        {"name": "UNSET", "value": ""},
    ] == build["exportedEnvironmentVariables"]


def test_a_failed_build_still_runs_its_post_build(cloud: Cloud, project: str) -> None:
    """Only a failed BUILD runs POST_BUILD, which is told so."""
    build = ended(cloud, start(cloud, project, STATUS="3"))
    assert build["buildStatus"] == "FAILED"
    assert phases(build)["BUILD"] == "FAILED"
    assert "succeeding=0" in log(cloud, build)


def test_a_build_past_its_timeout_is_killed(cloud: Cloud, project: str) -> None:
    """The timeout ends the process group; minutes are seconds here."""
    started = cloud("codebuild").start_build(
        projectName=project,
        timeoutInMinutesOverride=5,
        environmentVariablesOverride=[{"name": "SECONDS_TO_SLEEP", "value": "600"}],
    )
    build = ended(cloud, started["build"]["id"])
    assert (build["buildStatus"], phases(build)["BUILD"]) == ("TIMED_OUT", "TIMED_OUT")


def test_a_stopped_build_is_killed(cloud: Cloud, project: str) -> None:
    """StopBuild ends the process group and the record says so."""
    build = start(cloud, project, SECONDS_TO_SLEEP="600")
    eventually(
        lambda: cloud("codebuild").batch_get_builds(ids=[build])["builds"][0]["currentPhase"],
        lambda phase: phase == "BUILD",
    )
    cloud("codebuild").stop_build(id=build)
    assert ended(cloud, build)["buildStatus"] == "STOPPED"


def test_a_wrong_buildspec_fails_before_any_command(cloud: Cloud) -> None:
    """A buildspec that is no YAML ends the build in DOWNLOAD_SOURCE."""
    project = create(cloud, {"type": "NO_SOURCE", "buildspec": "phases: [\n"}, [])
    build = ended(cloud, start(cloud, project))
    assert (build["buildStatus"], phases(build)["DOWNLOAD_SOURCE"]) == ("FAILED", "FAILED")
    assert build["exportedEnvironmentVariables"] == []


def test_sync_waits_and_returns_the_build(cloud: Cloud, project: str) -> None:
    """`.sync` puts the ended build, with what it exported, into the state's result."""
    variables = [{"Name": "GIVEN", "Value": "previewed", "Type": "PLAINTEXT"}]
    states = task(
        project,
        arguments={"EnvironmentVariablesOverride": variables},
        Output=("{% $states.result.Build.ExportedEnvironmentVariables[Name='RESULT'].Value %}"),
    )
    assert cloud.execute(states)["output"] == '"previewed"'


def test_sync_fails_with_the_build_in_its_cause(cloud: Cloud, project: str) -> None:
    """A failed build is States.TaskFailed and its cause is the build as JSON."""
    variables = [{"Name": "STATUS", "Value": "1", "Type": "PLAINTEXT"}]
    execution = cloud.execute(task(project, arguments={"EnvironmentVariablesOverride": variables}))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(execution["cause"])["Build"]["BuildStatus"] == "FAILED"


@pytest.mark.parametrize("stopped_by", ["timeout", "abort"])
def test_a_task_that_ends_early_stops_its_build(
    cloud: Cloud, project: str, stopped_by: str
) -> None:
    """A state's timeout and StopExecution leave no build behind."""
    variables = [{"Name": "SECONDS_TO_SLEEP", "Value": "600", "Type": "PLAINTEXT"}]
    limit = {"TimeoutSeconds": 1} if stopped_by == "timeout" else {}
    states = task(project, arguments={"EnvironmentVariablesOverride": variables}, **limit)
    codebuild = cloud("codebuild")
    before = set(codebuild.list_builds_for_project(projectName=project)["ids"])
    execution = cloud.start(cloud.machine(states))
    (build,) = eventually(
        lambda: set(codebuild.list_builds_for_project(projectName=project)["ids"]) - before, bool
    )
    if stopped_by == "abort":
        cloud("stepfunctions").stop_execution(executionArn=execution)
    assert cloud.ended(execution)["status"] in ("FAILED", "ABORTED")
    assert ended(cloud, build)["buildStatus"] == "STOPPED"


@pytest.fixture
def parameter(cloud: Cloud) -> Iterator[Any]:
    """Sets sandbox parameters and removes them afterwards."""
    names = []

    def put(name: str, value: str) -> None:
        names.append(name)
        cloud("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    yield put
    cloud("ssm").delete_parameters(Names=names)


def test_an_account_at_its_limit_refuses_builds(cloud: Cloud, project: str, parameter: Any) -> None:
    """StartBuild's AccountLimitExceededException has CodeBuild's name in the workflow."""
    parameter("/sandbox/codebuild/limit", "0")
    execution = cloud.execute(task(project))
    assert execution["error"] == "CodeBuild.AccountLimitExceededException"


def test_a_build_that_cannot_start_fails_in_provisioning(
    cloud: Cloud, project: str, parameter: Any
) -> None:
    """An image that cannot be pulled ends the build before its first command."""
    parameter("/sandbox/codebuild/provisioning", "Unable to pull customer's container image")
    build = ended(cloud, start(cloud, project))
    assert (build["buildStatus"], phases(build)["PROVISIONING"]) == ("FAILED", "FAILED")
    assert "DOWNLOAD_SOURCE" not in phases(build)
