"""What boto3's errors mean for a send."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Optional

from botocore import exceptions

# About one message: the same one never will be accepted. Any other code of a failed entry says nothing of the entry, whatever
# SQS's ``SenderFault`` says: throttling and KMS are marked so, too.
_OF_A_MESSAGE = {
    "BatchRequestTooLong",
    "InvalidBatchEntryId",
    "InvalidMessageContents",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
}
_THROTTLED = re.compile(
    r"Throttl|TooManyRequests|SlowDown|OverLimit|RequestLimitExceeded|BandwidthLimitExceeded"
    r"|PriorRequestNotComplete|ProvisionedThroughputExceeded|TransactionInProgress"
)
# SQS's own faults, and requests that it did not read in time, whatever their status.
_PASSING = {
    "InternalError",
    "InternalFailure",
    "InternalServer",
    "InternalServerError",
    "RequestAborted",
    "RequestTimeout",
    "ServiceUnavailable",
}
_NEVER_CONNECTED = (
    exceptions.EndpointConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.ProxyConnectionError,
)


@dataclass(frozen=True)
class Failure:
    """Why a request failed as a whole.

    ``kind``: ``transient`` (the same request may succeed later), ``message`` (for the fault of one of its messages) or ``final``.
    """

    kind: str
    text: str
    may_have_arrived: bool = False


def failure_of(error: Exception) -> Optional[Failure]:
    """None for an error that is not boto3's."""
    if isinstance(error, exceptions.ClientError):
        code = _bare(str(error.response.get("Error", {}).get("Code", "")))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _OF_A_MESSAGE:
            return Failure("message", str(error))
        if _THROTTLED.search(code) or status == 429:
            return Failure("transient", str(error))
        if status >= 500:
            return Failure("transient", str(error), True)
        passing = status == 408 or code in _PASSING
        return Failure("transient" if passing else "final", str(error))
    if isinstance(error, _NEVER_CONNECTED):
        return Failure("transient", str(error))
    if isinstance(error, exceptions.HTTPClientError):
        return Failure("transient", str(error), True)
    return Failure("final", str(error)) if isinstance(error, exceptions.BotoCoreError) else None


def entry_is_at_fault(entry: Mapping[str, Any]) -> bool:
    """Whether an entry that failed would be refused again."""
    return entry.get("SenderFault") is True and _bare(str(entry.get("Code", ""))) in _OF_A_MESSAGE


def _bare(code: str) -> str:
    """Without what differs between SQS's protocols."""
    return re.sub(r"Exception$", "", re.sub(r"^AWS\.SimpleQueueService\.", "", code))
