"""Judges the JSON of each line of the standard input by a JSON Schema: writes 1 for each one accepted, 0 for the others."""

import json
import sys

from jsonschema import Draft202012Validator


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    lines = sys.stdin.buffer.read().decode().split("\n")
    print("".join("1" if validator.is_valid(json.loads(line)) else "0" for line in lines))


main()
