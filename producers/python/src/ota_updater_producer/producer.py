"""Sends updates to one queue: ten and 1 MiB to a request at most, what SQS did not take once more."""

from __future__ import annotations

import hashlib
import json
import random as _random
import time as _time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Union
from urllib.parse import urlsplit

from .errors import Failure, entry_is_at_fault, failure_of
from .trace import Trace, trace_fields
from .update import Update, checked

__all__ = ["Refused", "SendReport", "Sent", "Trace", "Unsent", "UpdateProducer"]

MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
MAX_GROUP_ID = 128
MAX_TRIES = 6
"""Tries of one request, without any progress, before the sending gives up."""
BACKOFF_BASE_S = 0.2
BACKOFF_MAX_S = 10.0


@dataclass(frozen=True)
class Sent:
    message_id: str


@dataclass(frozen=True)
class Refused:
    """It is not valid, or SQS will never accept it: the same one would be refused again."""

    reason: str


@dataclass(frozen=True)
class Unsent:
    """The sending ended before. Where an answer was lost, or did not name it, it may have arrived; twice does no harm."""

    may_have_arrived: bool = False


Result = Union[Sent, Refused, Unsent]


@dataclass
class SendReport:
    """What became of each update, in the order given."""

    results: list[Result] = field(default_factory=list)
    requests: int = 0
    failure: Optional[str] = None
    """Why the sending ended early."""

    def count(self, kind: type) -> int:
        return sum(isinstance(result, kind) for result in self.results)


@dataclass
class _Message:
    index: int
    entry: dict[str, Any]
    bytes: int


class UpdateProducer:
    """Sends updates to one queue with a ``boto3.client("sqs")`` of yours.

    ``now``, ``random`` and ``sleep`` are for tests.
    """

    def __init__(
        self,
        client: Any,
        queue_url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        random: Callable[[], float] = _random.random,
        sleep: Callable[[float], None] = _time.sleep,
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._fifo = _is_fifo(queue_url)
        self._now = now
        self._random = random
        self._sleep = sleep

    def send(
        self,
        updates: Iterable[Union[Update, Mapping[str, Any]]],
        *,
        trace: Optional[Trace] = None,
        send_id: Optional[str] = None,
    ) -> SendReport:
        """Checks each update and sends the valid ones, in order.

        At least once: an update whose answer was lost is sent again. ``send_id`` names this call on a FIFO queue: the same updates
        sent again under the same name within five minutes arrive once. Does not raise for what SQS answers, or for an update
        that is not valid, whatever it is: ``Refused`` says why, and the others are sent.
        """
        report = SendReport()
        run = send_id or str(uuid.uuid4())
        messages: list[_Message] = []
        for index, update in enumerate(updates):
            report.results.append(Unsent())
            body, faults = checked(update, self._now())
            if faults:
                report.results[index] = Refused("; ".join(faults))
            else:
                messages.append(self._message(index, body, trace, run))
        for batch in self._batches(messages):
            if report.failure is None:
                self._deliver(batch, report)
        return report

    def _message(self, index: int, body: Mapping[str, Any], trace: Optional[Trace], run: str) -> _Message:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        fields, size = trace_fields(trace)
        entry: dict[str, Any] = {"Id": str(index), "MessageBody": text, **fields}
        if self._fifo:
            task = body["Identifier"]
            entry["MessageGroupId"] = task if len(task) <= MAX_GROUP_ID else _sha256(task)
            # SQS drops a message whose id was used within five minutes: two updates that say the same need two.
            entry["MessageDeduplicationId"] = _sha256(f"{run}\n{index}\n{text}")
        elif "JobId" in body:
            # Fair queues: a large job does not starve a small one.
            entry["MessageGroupId"] = body["JobId"]
        return _Message(index, entry, len(text.encode()) + size)

    def _batches(self, messages: Iterable[_Message]) -> Iterator[list[_Message]]:
        """On a FIFO queue with one message of a group at most: when a request fails in part, none passes an earlier one."""
        batch: list[_Message] = []
        for message in messages:
            group = message.entry.get("MessageGroupId")
            full = len(batch) == MAX_ENTRIES or sum(each.bytes for each in batch) + message.bytes > MAX_BYTES
            taken = self._fifo and any(each.entry["MessageGroupId"] == group for each in batch)
            if batch and (full or taken):
                yield batch
                batch = []
            batch.append(message)
        if batch:
            yield batch

    def _deliver(self, batch: list[_Message], report: SendReport) -> None:
        tries = 0
        while batch:
            tries += 1
            left, failure = self._request(batch, report)
            if failure is not None and failure.kind == "message" and len(left) > 1:
                # For the fault of one of them, which SQS does not name.
                for message in left:
                    if report.failure is None:
                        self._deliver([message], report)
                return
            if failure is not None and failure.kind == "message":
                report.results[left[0].index] = Refused(f"SQS: {failure.text}")
                return
            if not left:
                return
            reason = failure.text if failure is not None else "SQS did not accept some messages"
            if failure is not None and failure.kind == "final":
                report.failure = reason
                return
            tries = tries if len(left) == len(batch) else 1
            batch = left
            if tries >= MAX_TRIES:
                report.failure = f"{reason}, {MAX_TRIES} times in a row"
                return
            # Full jitter: many producers that were throttled together do not come back together.
            self._sleep(self._random() * min(BACKOFF_MAX_S, BACKOFF_BASE_S * 2 ** (tries - 1)))

    def _request(self, batch: list[_Message], report: SendReport) -> tuple[list[_Message], Optional[Failure]]:
        """One request. Returns what is left to be sent, and why the request failed as a whole, if it did."""
        report.requests += 1
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url, Entries=[message.entry for message in batch]
            )
        except Exception as error:  # boto3's errors have no common base; anything else is raised again.
            failure = failure_of(error)
            if failure is None:
                raise
            if failure.may_have_arrived:
                for message in batch:
                    report.results[message.index] = Unsent(may_have_arrived=True)
            return batch, failure
        # What stands between may answer anything: an entry without its Id says nothing of any message.
        ids = {entry.get("Id"): entry.get("MessageId", "") for entry in answer.get("Successful", [])}
        failed = {entry.get("Id"): entry for entry in answer.get("Failed", [])}
        left = []
        for message in batch:
            key = message.entry["Id"]
            if key in ids:
                report.results[message.index] = Sent(ids[key])
            elif key in failed and entry_is_at_fault(failed[key]):
                entry = failed[key]
                report.results[message.index] = Refused(f"SQS: {entry.get('Code')} {entry.get('Message', '')}".strip())
            else:
                if key not in failed:
                    report.results[message.index] = Unsent(may_have_arrived=True)
                left.append(message)
        return left, None


def _is_fifo(queue_url: str) -> bool:
    """By the name of the queue, which SQS requires to end so; a query behind it is none of the name."""
    url = urlsplit(queue_url)
    return (url.path if url.scheme else queue_url).endswith(".fifo")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
