"""The kill switch in SSM Parameter Store: `{"stop": false, "why": ""}`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .aws import code

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class SsmBrakes:
    """Fails closed: what cannot be read, or says anything but a plain no, is a stop."""

    def __init__(self, client: SSMClient, parameter: str) -> None:
        self._client = client
        self._parameter = parameter

    def engaged(self) -> str | None:
        try:
            text = self._client.get_parameter(Name=self._parameter)["Parameter"]["Value"]
            switch = json.loads(text)
            stop, why = switch["stop"], str(switch.get("why", ""))
        except ClientError as error:
            return self._unreadable(code(error))
        except (BotoCoreError, ValueError, KeyError, TypeError, AttributeError) as error:
            return self._unreadable(type(error).__name__)
        if stop is False:
            return None
        return f"the kill switch {self._parameter} is on" + (f": {why}" if why else "")

    def _unreadable(self, why: str) -> str:
        return f"the kill switch {self._parameter} cannot be read ({why}), so it counts as on"
