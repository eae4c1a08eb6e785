"""Sends the messages of one call: batch after batch, each until all of it is sent or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional

from .errors import SendFailure, entries_in, failed_entries, send_failure_of
from .report import Refused, SendReport, Sent, Unsent

MAX_TRIES = 6
"""Tries of one request, without any progress, before the sending gives up."""
BACKOFF_BASE_S = 0.2
BACKOFF_MAX_S = 10.0


@dataclass
class Message:
    index: int
    """Of its update in the call."""
    entry: dict[str, Any]
    bytes: int


class Sending:
    """Fills in the report of one call."""

    def __init__(
        self,
        client: Any,
        queue_url: str,
        report: SendReport,
        *,
        random: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._report = report
        self._random = random
        self._sleep = sleep
        self._refused_alone: list[tuple[Message, SendFailure]] = []

    def send(self, batch: list[Message]) -> None:
        """Does nothing once the sending has ended."""
        self._deliver(batch)
        self._judge()

    def _deliver(self, left: list[Message]) -> None:
        tries = 0
        while left and self._report.failure is None:
            tries += 1
            count = len(left)
            left, failure = self._request(left)
            if failure is not None and failure.kind in ("message", "unclear"):
                self._separate(left, failure)
                return
            if not left:
                return
            if len(left) < count:
                tries = 0
            reason = failure.text if failure is not None else "SQS did not accept some messages"
            if failure is not None and failure.kind == "final":
                self._report.failure = reason
            elif tries >= MAX_TRIES:
                self._report.failure = f"{reason}, {MAX_TRIES} times in a row"
            else:
                # Full jitter: many producers that were throttled together do not come back together.
                self._sleep(self._random() * min(BACKOFF_MAX_S, BACKOFF_BASE_S * 2 ** max(tries - 1, 0)))

    def _separate(self, batch: list[Message], failure: SendFailure) -> None:
        """A request was refused, perhaps for one of its messages, which is not named: each is sent alone."""
        if len(batch) == 1:
            self._refused_alone.append((batch[0], failure))
            return
        for message in batch:
            self._deliver([message])

    def _judge(self) -> None:
        """Decides about messages that were refused alone: at fault, if the code says so or another message was accepted; else
        nothing shows that the fault is theirs, and the sending ends.
        """
        report = self._report
        accepted = any(isinstance(result, Sent) for result in report.results)
        for message, failure in self._refused_alone:
            if failure.kind == "message" or accepted:
                report.results[message.index] = Refused(f"SQS: {failure.text}")
            elif report.failure is None:
                report.failure = failure.text
        self._refused_alone.clear()

    def _request(self, batch: list[Message]) -> tuple[list[Message], Optional[SendFailure]]:
        """One request. Returns what is left to be sent, and why the request failed as a whole, if it did."""
        results = self._report.results
        self._report.requests += 1
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url, Entries=[message.entry for message in batch]
            )
        except Exception as error:  # boto3's errors have no common base, and its parsers raise others.
            failure = send_failure_of(error)
            if failure.may_have_arrived:
                for message in batch:
                    results[message.index] = Unsent(may_have_arrived=True)
            return batch, failure
        sent = entries_in(answer, "Successful")
        failed = failed_entries(answer, [message.entry["Id"] for message in batch])
        left = []
        for message in batch:
            key = message.entry["Id"]
            kind, entry = failed.get(key, ("sent", {}))
            if kind == "sent":
                results[message.index] = Sent(sent[key].get("MessageId", ""))
            elif kind == "message":
                results[message.index] = Refused(f"SQS: {entry.get('Code')} {entry.get('Message', '')}".strip())
            else:
                if kind == "unconfirmed":
                    results[message.index] = Unsent(may_have_arrived=True)
                left.append(message)
        return left, None
