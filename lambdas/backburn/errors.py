"""Every way a step can end other than by returning: one tree, and the workflow's API.

Step Functions matches a Python error by its class name, so the names below are what
`stacks/remediation.asl.json` catches and retries; a test holds the two against each other.

BackburnError
├── Answer                  an outcome: caught into CloseIncident, the execution SUCCEEDS
│   ├── NotOurs             the cause lies elsewhere
│   ├── Inconclusive        nothing stands out, or the evidence contradicts itself
│   ├── Observed            mode `observe`: stop at what would have been proposed
│   ├── Abstained           the value cannot be located or changed without doubt
│   ├── StackBusy           another incident's change is in flight on the Pulumi stack
│   ├── Braked              kill switch, freeze window or cap (an unreadable brake is on)
│   ├── Proposed            mode `propose`: the page was mailed, nobody can approve it
│   ├── Refused             the preview, the gate or the digest said no
│   ├── Rejected            an approver said no
│   └── BurnEnded           the SLI is measured well again before the apply
├── BuildAnswer             how a build ends beside Refused: exported as OUTCOME, for a Choice
│   ├── Drifted             the unpatched program or the state is not what is deployed
│   ├── Broken              the program does not run, or its stack does not exist
│   ├── HalfApplied         an earlier run of the build did a part; nobody goes on unasked
│   └── Locked              somebody else's update holds the stack
├── Fault                   an operator's turn: fails in place, red and redrivable
│   ├── BadWorkloads        workloads.yaml is wrong
│   ├── ProgramMissing      no bundle of the program is in the bundle store
│   ├── HoneycombDenied     Honeycomb refuses the key, the plan or the query
│   ├── BuildFault          a build ended without an answer
│   └── Retryable           may heal by itself: retried by the flow, then a fault
│       ├── HoneycombUnreachable
│       └── HoneycombRateLimited
└── BadRequest              a caller of a route or of the CLI got something wrong
    ├── Unauthenticated     401
    ├── TooLarge            413
    └── Malformed           400
"""

from __future__ import annotations


class BackburnError(Exception):
    """Root of the tree. The message says what, where and what to do."""


class Answer(BackburnError):
    """An outcome of the incident, not a failure of ours."""


class NotOurs(Answer):
    """The cause lies outside what this workload may change."""


class Inconclusive(Answer):
    """Nothing stands out against the noise, or the evidence contradicts itself."""


class Observed(Answer):
    """Mode `observe`: this is what would have been proposed."""


class Abstained(Answer):
    """The value cannot be located or changed without doubt."""


class StackBusy(Answer):
    """Another incident has a change in flight on the same Pulumi stack."""


class Braked(Answer):
    """A brake is on: kill switch, freeze window, cap; or it could not be read."""


class Proposed(Answer):
    """Mode `propose`: the proposal was mailed; nothing will be applied."""


class Refused(Answer):
    """The preview, the gate or the digest does not allow the change."""


class Rejected(Answer):
    """An approver rejected the proposal."""


class BurnEnded(Answer):
    """The SLI is measured well again before anything was applied."""


class BuildAnswer(BackburnError):
    """An outcome that a build exports; Step Functions never sees the class."""


class Drifted(BuildAnswer):
    """The unpatched program, or the stack's state, is not what is deployed."""


class Broken(BuildAnswer):
    """The program does not run, or its stack does not exist: with the program's own lines."""


class HalfApplied(BuildAnswer):
    """An earlier run did a part of the update: what was done, and what is open."""


class Locked(BuildAnswer):
    """Another update holds the stack: who and since when, and each holder's (host, process)."""

    def __init__(self, message: str, holders: tuple[tuple[str, int], ...] = ()) -> None:
        super().__init__(message)
        self.holders = holders


class Fault(BackburnError):
    """Something an operator must mend; the execution fails at its state and can be redriven."""


class BadWorkloads(Fault):
    """workloads.yaml does not say what it must: line, field and what was expected."""


class ProgramMissing(Fault):
    """The bundle store holds no program for the workload."""


class HoneycombDenied(Fault):
    """Honeycomb refuses the key, the plan or the query; a retry would not help."""


class BuildFault(Fault):
    """A build ended without an answer."""


class Retryable(Fault):
    """May heal by itself."""


class HoneycombUnreachable(Retryable):
    """No usable answer from Honeycomb: network, timeout or 5xx."""


class HoneycombRateLimited(Retryable):
    """Honeycomb answered 429 (Query Data API: 10 query results a minute, no Retry-After)."""


class BadRequest(BackburnError):
    """A caller got something wrong; nothing was changed."""

    status = 400


class Malformed(BadRequest):
    """The body or an argument cannot be understood."""


class Unauthenticated(BadRequest):
    """Missing or wrong credentials."""

    status = 401


class TooLarge(BadRequest):
    """The body is over the limit."""

    status = 413
