"""The update, and the worker's own rules for it, read from its JSON Schema."""

from __future__ import annotations

import calendar
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional, Union

from jsonschema import Draft202012Validator, ValidationError

MAX_ISSUED_AHEAD_MS = 5 * 60_000
"""How far ``IssuedAt`` may lie after the time of sending."""


@dataclass(frozen=True)
class Update:
    """One change of one OTA task. At least one of ``description`` and ``task_configuration_id`` is given.

    ``issued_at`` is when the update was decided on: of two values of one field the one decided on later stays. A
    ``datetime`` needs a time zone; a text is taken as it is.
    """

    identifier: str
    description: Optional[str] = None
    task_configuration_id: Optional[str] = None
    job_id: Optional[str] = None
    request_id: Optional[str] = None
    issued_at: Union[datetime, str, None] = None

    def to_dict(self) -> dict[str, Any]:
        """The body of the message, without the fields that are not given. Raises ValueError for what is no time with a zone."""
        fields = {
            "Identifier": self.identifier,
            "Description": self.description,
            "TaskConfigurationId": self.task_configuration_id,
            "JobId": self.job_id,
            "RequestId": self.request_id,
            "IssuedAt": _instant(self.issued_at),
        }
        return {name: value for name, value in fields.items() if value is not None}


@lru_cache(maxsize=None)
def load_schema() -> Mapping[str, Any]:
    """The JSON Schema of an update, as the worker publishes it."""
    return json.loads((Path(__file__).parent / "update.schema.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def _validator() -> Draft202012Validator:
    return Draft202012Validator(load_schema())


def faults_of(value: Any, now: datetime) -> list[str]:
    """What the worker would find wrong with the body of a message, each fault by its field; empty when it is valid.

    ``value`` is untrusted: anything that ``json.loads`` gives. ``now`` has a time zone.
    """
    if isinstance(value, dict) and not all(isinstance(name, str) for name in value):
        # JSON has no such names, and the validator cannot sort them.
        return [_unknown(value)]
    faults = list(dict.fromkeys(fault for error in _validator().iter_errors(value) for fault in _describe(error)))
    if faults or "IssuedAt" not in value:
        return faults
    # In whole numbers: a float of seconds may be a millisecond less.
    now_ms = (now - _EPOCH) // timedelta(milliseconds=1)
    if _epoch_ms(value["IssuedAt"]) > now_ms + MAX_ISSUED_AHEAD_MS:
        return ["IssuedAt: is more than 5 minutes ahead"]
    return []


def _describe(error: ValidationError) -> Iterator[str]:
    if not error.absolute_path:
        yield from _describe_whole(error)
        return
    field = error.absolute_path[0]
    keyword = error.validator
    if keyword == "type":
        yield f"{field}: is not a text"
    elif keyword == "minLength":
        yield f"{field}: is empty"
    elif keyword == "maxLength":
        yield f"{field}: is {len(error.instance)} characters long, and may be {error.validator_value} at most"
    elif error.instance != "":
        rule = "is no ISO 8601 time in UTC, as 2026-11-23T07:00:00Z" if field == "IssuedAt" else "has a character that it may not have"
        yield f"{field}: {rule}"


def _describe_whole(error: ValidationError) -> Iterator[str]:
    keyword = error.validator
    if keyword == "required":
        yield f"{' and '.join(error.validator_value)}: is missing"
    elif keyword == "additionalProperties":
        yield _unknown(error.instance)
    elif keyword == "type":
        yield "not a JSON object"
    elif isinstance(error.instance, dict):
        yield "nothing to update: give Description or TaskConfigurationId"


def _unknown(value: Mapping[Any, Any]) -> str:
    known = load_schema()["properties"]
    unknown = [json.dumps(str(name)[:80]) for name in value if name not in known][:5]
    return f"unknown field {', '.join(unknown)} (the fields are {', '.join(known)})"


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UTC = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?Z")


def _epoch_ms(text: str) -> int:
    """Of a time that meets the schema, in whole milliseconds, as the worker reads it."""
    found = _UTC.fullmatch(text)
    if found is None or found[1] == "0000":
        # The year 0 is none that ``datetime`` knows, and long past.
        return -(2**62)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    return seconds * 1000 + int(((found[7] or "") + "000")[:3])


def _instant(value: Any) -> Optional[str]:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, datetime):
        raise ValueError(f"issued_at is neither a datetime nor a text: {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError("issued_at has no time zone: give datetime.now(timezone.utc), say")
    try:
        utc = value.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("issued_at is before the year 1 or after the year 9999 in UTC") from None
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def checked(value: Any, now: datetime) -> tuple[Mapping[str, Any], list[str]]:
    """The body of the message for what a caller gives as an update, and what is wrong with it. Never raises.

    What is no update at all, or cannot be read, is a fault of this one: the others are sent.
    """
    try:
        if isinstance(value, Update):
            body = value.to_dict()
        elif isinstance(value, Mapping):
            body = dict(value)
        else:
            return {}, ["not a JSON object"]
        return body, faults_of(body, now)
    except ValueError as error:
        return {}, [str(error)]
    except Exception as error:  # Whatever the methods of a caller's own classes raise.
        return {}, [f"cannot be read: {type(error).__name__}"]
