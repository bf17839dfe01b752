"""SNS e-mail: each mail becomes a file in the outbox.

ministack 1.5.33 only logs e-mails, and takes subjects that SNS refuses. Nobody can click SNS's
confirmation mail here, so a subscription counts as confirmed.
"""

# ruff: noqa: SLF001 - ministack's private names are what is replaced here

from __future__ import annotations

import inspect
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.services import sns

from .patching import require
from .settings import Settings

_SUBJECT = 100  # SNS: ASCII, no line breaks or control characters, fewer than 100 characters


def install(settings: Settings) -> None:
    """Put the outbox behind every topic."""
    require(sns, "_fanout", "_topics", "_matches_filter_policy", "publish_internal")
    require(sns, "SnsPublishError")
    settings.outbox.mkdir(parents=True, exist_ok=True)
    sns.publish_internal = _with_subject_check(sns.publish_internal)
    sns._fanout = _with_outbox(sns._fanout, settings.outbox)


def _with_subject_check(original: Callable[..., Any]) -> Callable[..., Any]:
    def publish(topic: str, message: str, subject: str | None = None, **kwargs: Any) -> Any:
        if subject and not (
            subject.isascii() and subject.isprintable() and len(subject) < _SUBJECT
        ):
            raise sns.SnsPublishError("InvalidParameter", "Invalid parameter: Subject")
        return original(topic, message, subject, **kwargs)

    return publish


def _with_outbox(original: Callable[..., Any], outbox: Path) -> Callable[..., Any]:
    signature = inspect.signature(original)

    def fanout(*args: Any, **kwargs: Any) -> Any:
        call = signature.bind(*args, **kwargs).arguments
        topic = sns._topics.get(call["topic_arn"]) or {}
        attributes = call.get("message_attributes") or {}
        for subscription in topic.get("subscriptions", ()):
            wanted = sns._matches_filter_policy(subscription, attributes, call["message"])
            if subscription["protocol"] in ("email", "email-json") and wanted:
                post(outbox, subscription["endpoint"], call["subject"], call["message"], topic)
        return original(*args, **kwargs)

    return fanout


def post(
    outbox: Path, recipient: str, subject: str | None, message: str, topic: dict[str, Any]
) -> None:
    """Write one mail; it appears whole or not at all."""
    now = time.time()
    name = f"{now:.6f}-{uuid.uuid4().hex[:6]}"
    mail = {
        "at": now,
        "to": recipient,
        "subject": subject or "AWS Notification Message",
        "message": message,
        "topic": topic["arn"],
    }
    draft = outbox / f".{name}"
    draft.write_text(json.dumps(mail, indent=1))
    draft.rename(outbox / f"{name}.json")
