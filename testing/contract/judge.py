"""Judges the JSON of each line of the standard input: writes 1 for each one accepted, 0 for the others.

judge.py schema PATH: by a JSON Schema. judge.py producer TIME: by the package for producers, as of an ISO 8601 time.
"""

import json
import sys
from datetime import datetime
from typing import Any, Callable


def by_schema(path: str) -> Callable[[Any], bool]:
    from jsonschema import Draft202012Validator

    with open(path, encoding="utf-8") as file:
        return Draft202012Validator(json.load(file)).is_valid


def by_producer(time: str) -> Callable[[Any], bool]:
    from ota_updater_producer import faults_of

    now = datetime.fromisoformat(time)
    return lambda value: not faults_of(value, now)


def main() -> None:
    judge, how = sys.argv[1:]
    accepts = {"schema": by_schema, "producer": by_producer}[judge](how)
    lines = sys.stdin.buffer.read().decode().split("\n")
    print("".join("1" if accepts(json.loads(line)) else "0" for line in lines))


main()
