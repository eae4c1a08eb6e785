"""Against an SQS server over HTTP: the environment names it and its queue.

What the server does with a message, its description says: see test/contract/python-producer.test.ts.
"""

import os
import re
import unittest
from datetime import date, datetime, timedelta, timezone
from typing import Any, Optional

import boto3
from botocore.config import Config

from ota_updater_producer import Refused, Sent, Trace, Unsent, Update, UpdateProducer

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class ProducerTest(unittest.TestCase):
    def setUp(self) -> None:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=10)
        self.client = boto3.client("sqs", endpoint_url=os.environ["ENDPOINT"], config=config)
        self.addCleanup(self.client.close)
        self.waits: list[float] = []

    def producer(self, queue_url: Optional[str] = None) -> UpdateProducer:
        url = queue_url or os.environ["QUEUE_URL"]
        return UpdateProducer(self.client, url, random=lambda: 0.5, sleep=self.waits.append)

    def receive(self, count: int) -> list[Any]:
        messages: list[Any] = []
        while len(messages) < count:
            answer = self.client.receive_message(
                QueueUrl=os.environ["QUEUE_URL"],
                MaxNumberOfMessages=10,
                WaitTimeSeconds=5,
                MessageAttributeNames=["All"],
            )
            some = answer.get("Messages", [])
            self.assertTrue(some, "no more messages came")
            for message in some:
                self.client.delete_message(
                    QueueUrl=os.environ["QUEUE_URL"], ReceiptHandle=message["ReceiptHandle"]
                )
            messages += some
        return messages

    def test_sends_ten_to_a_request_and_tells_the_ids(self) -> None:
        report = self.producer().send(Update(f"task{i}", description="fine") for i in range(25))
        self.assertEqual((report.count(Sent), report.requests, report.failure), (25, 3, None))
        ids = {result.message_id for result in report.results}
        self.assertEqual({message["MessageId"] for message in self.receive(25)}, ids)

    def test_refuses_what_is_not_valid_and_sends_the_others(self) -> None:
        report = self.producer().send(
            [Update("a-1", description="fine"), {"Identifier": "a1", "Description": "fine"}, {"Identifier": "a"}]
        )
        self.assertEqual([type(result) for result in report.results], [Refused, Sent, Refused])
        self.receive(1)

    def test_refuses_what_is_no_update_at_all_and_sends_the_others(self) -> None:
        class Broken(dict):
            def keys(self) -> Any:
                raise RuntimeError("torn")

            __iter__ = keys

        ok = {"Identifier": "a1", "Description": "fine"}
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        cyclic: dict[str, Any] = dict(ok)
        cyclic["Description"] = cyclic
        zone = timezone(timedelta(hours=-1))
        cases: list[tuple[Any, str]] = [
            (None, "not a JSON object"),
            (5, "not a JSON object"),
            ([1], "not a JSON object"),
            ([("Identifier", "a1"), ("Description", "fine")], "not a JSON object"),
            ("abc", "not a JSON object"),
            (object(), "not a JSON object"),
            (Broken(ok), "cannot be read: RuntimeError"),
            ({**ok, 1: 2}, 'unknown field "1"'),
            ({**ok, None: 2, ("x",): 3}, "unknown field \"None\", \"('x',)\""),
            ({**ok, "Description": b"fine"}, "Description: is not a text"),
            ({**ok, "Description": deep}, "cannot be read: RecursionError|Description: is not a text"),
            (cyclic, "Description: is not a text"),
            (Update("a1", description=5), "Description: is not a text"),  # type: ignore[arg-type]
            (Update(None, description="b"), "Identifier: is missing"),  # type: ignore[arg-type]
            (Update("a1", "b", issued_at=5), "issued_at is neither a datetime nor a text: int"),  # type: ignore[arg-type]
            (Update("a1", "b", issued_at=date(2026, 11, 23)), "neither a datetime nor a text: date"),  # type: ignore[arg-type]
            (Update("a1", "b", issued_at=datetime(2026, 11, 23)), "no time zone"),
            (Update("a1", "b", issued_at=datetime.max.replace(tzinfo=zone)), "after the year 9999"),
        ]
        for bad, reason in cases:
            with self.subTest(reason=reason):
                report = self.producer().send([ok, bad, ok])
                self.assertEqual([type(result) for result in report.results], [Sent, Refused, Sent])
                self.assertRegex(report.results[1].reason, re.escape(reason).replace("\\|", "|"))
                self.receive(2)

    def test_sends_again_what_was_throttled_and_only_that(self) -> None:
        report = self.producer().send([Update("a", description="fine"), Update("b", description="throttled once")])
        self.assertEqual((report.count(Sent), report.requests, self.waits), (2, 2, [0.1]))
        self.receive(2)

    def test_refuses_what_sqs_will_never_accept(self) -> None:
        report = self.producer().send([Update("a", description="poison"), Update("b", description="fine")])
        self.assertEqual([type(result) for result in report.results], [Refused, Sent])
        self.assertIn("InvalidMessageContents", report.results[0].reason)
        self.receive(1)

    def test_finds_the_message_for_whose_fault_a_request_is_refused(self) -> None:
        report = self.producer().send([Update("a", description="fine"), Update("b", description="poison for all")])
        self.assertEqual([type(result) for result in report.results], [Sent, Refused])
        self.receive(1)

    def test_gives_up_after_six_tries(self) -> None:
        report = self.producer().send([Update("a", description="lost"), *[Update("b", description="fine")] * 10])
        self.assertEqual(report.results, [Unsent(True)] * 10 + [Unsent(False)])
        self.assertIn("6 times in a row", report.failure or "")
        self.assertEqual(self.waits, [0.1, 0.2, 0.4, 0.8, 1.6])

    def test_says_of_what_no_answer_names_that_it_may_have_arrived(self) -> None:
        report = self.producer().send([Update("a", description="unnamed")])
        self.assertEqual(report.results, [Unsent(True)])
        self.assertIn("6 times in a row", report.failure or "")

    def test_sends_again_what_sqs_did_not_read_in_time(self) -> None:
        report = self.producer().send([Update("a", description="slow once")])
        self.assertEqual((report.count(Sent), report.requests), (1, 2))
        self.receive(1)

    def test_ends_at_once_where_trying_again_is_no_use(self) -> None:
        report = self.producer().send([Update("a", description="denied")])
        self.assertEqual((report.requests, report.results), (1, [Unsent(False)]))
        self.assertIn("AccessDenied", report.failure or "")

    def test_passes_the_trace_on(self) -> None:
        trace = Trace(TRACEPARENT, "vendor=1", "Root=1-2-3")
        self.producer().send([Update("a", description="fine")], trace=trace)
        [message] = self.receive(1)
        values = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        self.assertEqual(values, {"traceparent": TRACEPARENT, "tracestate": "vendor=1"})

    def test_leaves_out_a_trace_that_is_none(self) -> None:
        self.producer().send([Update("a", description="fine")], trace=Trace(TRACEPARENT + "\n", "x"))
        self.assertNotIn("MessageAttributes", self.receive(1)[0])

        class Torn:
            @property
            def traceparent(self) -> str:
                raise RuntimeError("torn")

        none: list[Any] = [
            Trace(5, b"x", []),  # type: ignore[arg-type]
            {"traceparent": TRACEPARENT},
            TRACEPARENT,
            Torn(),
            Trace("ff" + TRACEPARENT[2:]),
            Trace(f"00-{'0' * 32}-{'1' * 16}-01"),
            Trace(f"00-{'1' * 32}-{'0' * 16}-01"),
        ]
        for trace in none:
            self.producer().send([Update("a", description="fine")], trace=trace)
            self.assertNotIn("MessageAttributes", self.receive(1)[0])

    def test_keeps_the_order_of_a_group_on_a_fifo_queue(self) -> None:
        url = self.client.create_queue(QueueName="updates.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        twice = [Update("a", description="first"), Update("a", description="second"), Update("b", description="x")]
        report = self.producer(url).send(twice, send_id="night-1")
        self.assertEqual((report.count(Sent), report.requests), (3, 2))
        again = self.producer(url).send(twice, send_id="night-1")
        self.assertEqual([r.message_id for r in again.results], [r.message_id for r in report.results])

    def test_knows_a_fifo_queue_by_its_name_alone(self) -> None:
        class Recorder:
            def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:
                self.entries = Entries
                return {"Successful": [{"Id": entry["Id"], "MessageId": "m"} for entry in Entries]}

        for url, fifo in [("http://h/1/q.fifo?x", True), ("q.fifo", True), ("http://h/1/q?x=.fifo", False), ("q.fifo?x", False)]:
            with self.subTest(url=url):
                recorder = Recorder()
                UpdateProducer(recorder, url).send([Update("a", description="fine")])
                self.assertEqual("MessageDeduplicationId" in recorder.entries[0], fifo)


if __name__ == "__main__":
    unittest.main()
