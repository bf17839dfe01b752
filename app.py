"""The CDK app: reads workloads.yaml, takes the built asset, and makes the one stack.

Context (`-c name=value`, or CDK_CONTEXT_JSON where no CLI is in between):
  asset=lambda|host   which build of the asset runs (default lambda; host is the sandbox's)
  workloads=PATH      another file than workloads.yaml
Synthesis looks nothing up: no account, no network, no clock.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import aws_cdk as cdk

ROOT = Path(__file__).parent
# The loader is the product's own, so that the file is judged here as it is judged there.
sys.path.insert(0, str(ROOT / "lambdas"))

from backburn import workloads_yaml  # noqa: E402
from backburn.errors import BadWorkloads  # noqa: E402
from backburn.workload import Workload, Workloads  # noqa: E402
from stacks import asset  # noqa: E402
from stacks.reach import Reach  # noqa: E402
from stacks.remediator import Remediator  # noqa: E402


def reach(workload: Workload) -> Reach:
    """What a workload lets the builds touch; SystemExit if its state is out of their reach."""
    backend = urlsplit(workload.program.backend)
    if backend.scheme != "s3" or not backend.netloc:
        raise SystemExit(
            f"workload {workload.name}, program.backend: must be s3://bucket[/path][?options], "
            f"found {workload.program.backend!r}"
        )
    return Reach(
        workload=workload.name,
        state_bucket=backend.netloc,
        state_prefix=backend.path.strip("/"),
        passphrase_secret=workload.program.passphrase_secret,
        secrets=workload.program.secrets,
        cluster=workload.ecs.cluster,
        service=workload.ecs.service,
        task_roles=workload.ecs.task_roles,
    )


def compose(scope: cdk.App, workloads: Workloads, built: asset.Asset) -> Remediator:
    """Hand the validated workloads' values to the stack."""
    validated = Path(scope.outdir) / "workloads.json"
    validated.parent.mkdir(parents=True, exist_ok=True)
    validated.write_text(workloads.model_dump_json(indent=1))
    return Remediator(
        scope,
        "Backburn",
        description="From an SLO that burns to a change that provably put it out",
        workloads=validated,
        reaches=[reach(workload) for workload in workloads.workloads],
        approvers=[mail for workload in workloads.workloads for mail in workload.approvers],
        operators=workloads.operators,
        asset=built,
    )


def synthesise(scope: cdk.App) -> None:
    """Read what the context names and write the assembly into the folder that the CDK names."""
    path = Path(scope.node.try_get_context("workloads") or ROOT / "workloads.yaml")
    try:
        workloads = workloads_yaml.load(path)
    except BadWorkloads as wrong:
        raise SystemExit(str(wrong)) from None
    compose(scope, workloads, asset.built(scope.node.try_get_context("asset") or "lambda"))
    scope.synth()


if __name__ == "__main__":
    synthesise(cdk.App(analytics_reporting=False))
