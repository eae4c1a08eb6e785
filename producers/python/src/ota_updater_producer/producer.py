"""Sends updates to one queue: ten and 1 MiB to a request at most, what SQS did not take once more."""

from __future__ import annotations

import hashlib
import json
import random as _random
import time as _time
import uuid
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Union
from urllib.parse import urlsplit

from .report import Refused, SendReport, Unsent
from .sending import Message, Sending
from .trace import Trace, trace_fields
from .update import Update, checked

MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
MAX_GROUP_ID = 128


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
        sent again under the same name within five minutes arrive once. Does not raise for what SQS or anything else answers, or
        for an update that is not valid, whatever it is: ``Refused`` says why, and the others are sent.
        """
        report = SendReport()
        run = send_id or str(uuid.uuid4())
        messages: list[Message] = []
        for index, update in enumerate(updates):
            report.results.append(Unsent())
            body, faults = checked(update, self._now())
            if faults:
                report.results[index] = Refused("; ".join(faults))
            else:
                messages.append(self._message(index, body, trace, run))
        sending = Sending(self._client, self._queue_url, report, random=self._random, sleep=self._sleep)
        for batch in self._batches(messages):
            sending.send(batch)
        return report

    def _message(self, index: int, body: Mapping[str, Any], trace: Optional[Trace], run: str) -> Message:
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
        return Message(index, entry, len(text.encode()) + size)

    def _batches(self, messages: Iterable[Message]) -> Iterator[list[Message]]:
        """On a FIFO queue with one message of a group at most: when a request fails in part, none passes an earlier one."""
        batch: list[Message] = []
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


def _is_fifo(queue_url: str) -> bool:
    """By the name of the queue, which SQS requires to end so; a query behind it is none of the name."""
    url = urlsplit(queue_url)
    return (url.path if url.scheme else queue_url).endswith(".fifo")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
