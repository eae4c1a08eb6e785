"""What the package for producers says of answers: a line of JSON for each case on the standard input.

A case: {"endpoint", "queueUrl", "updates", "readTimeout"}, the last one in seconds. A verdict: see Verdict in sqs-answers.ts.
"""

import json
import re
import sys
from typing import Any

import boto3
from botocore.config import Config

from ota_updater_producer import Refused, Sent, UpdateProducer


def verdict(client: Any, case: Any) -> Any:
    waits: list[float] = []
    producer = UpdateProducer(client, case["queueUrl"], random=lambda: 0.5, sleep=waits.append)
    report = producer.send(case["updates"])
    failure = report.failure
    ends = None if failure is None else "after six tries" if failure.endswith("6 times in a row") else "at once"
    return {
        "updates": [said(result) for result in report.results],
        "requests": report.requests,
        "ends": ends,
        "waits": [round(wait * 1_000) for wait in waits],
    }


def said(result: Any) -> str:
    if isinstance(result, Sent):
        return "sent"
    if isinstance(result, Refused):
        return re.sub(r"^SQS: (AWS\.SimpleQueueService\.)?(\S+).*", r"refused \2", result.reason)
    return "lost" if result.may_have_arrived else "unsent"


def main() -> None:
    clients: dict[tuple[str, float], Any] = {}
    for line in sys.stdin:
        case = json.loads(line)
        endpoint, timeout = key = (case["endpoint"], case["readTimeout"])
        if key not in clients:
            config = Config(retries={"total_max_attempts": 1}, read_timeout=timeout)
            clients[key] = boto3.client("sqs", endpoint_url=endpoint, config=config)
        try:
            print(json.dumps(verdict(clients[key], case)))
        except Exception as error:  # A verdict, too: producers are not to raise.
            print(json.dumps({"updates": [], "requests": 0, "ends": f"raised {error!r}", "waits": []}))


main()
