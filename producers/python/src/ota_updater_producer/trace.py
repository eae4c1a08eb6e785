"""Trace context as a message carries it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Optional

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")
_TRACE_HEADER = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True)
class Trace:
    """A trace to go on with. What is not well formed is left out: no update fails because of its trace.

    ``aws_trace_header`` is X-Ray's, as the variable ``_X_AMZN_TRACE_ID`` has it.
    """

    traceparent: Optional[str] = None
    tracestate: Optional[str] = None
    aws_trace_header: Optional[str] = None


def trace_fields(trace: Optional[Trace]) -> tuple[dict[str, Any], int]:
    """The fields of a batch entry that carry the trace, and how many bytes of the message they take."""
    attributes: dict[str, Any] = {}
    try:
        traceparent, tracestate, header = (
            getattr(trace, name, None) for name in ("traceparent", "tracestate", "aws_trace_header")
        )
    except Exception:  # Whatever the properties of a caller's own class raise: there is none to go on with.
        return {}, 0
    if _is_wholly(_TRACEPARENT, traceparent):
        attributes["traceparent"] = _text(traceparent)
        if _is_wholly(_TRACESTATE, tracestate):
            attributes["tracestate"] = _text(tracestate)
    fields: dict[str, Any] = {"MessageAttributes": attributes} if attributes else {}
    if _is_wholly(_TRACE_HEADER, header):
        fields["MessageSystemAttributes"] = {"AWSTraceHeader": _text(header)}
    size = sum(len(name) + len("String") + len(value["StringValue"]) for name, value in attributes.items())
    return fields, size


def _is_wholly(pattern: "re.Pattern[str]", value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _text(value: Any) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}
