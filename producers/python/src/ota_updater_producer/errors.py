"""What SQS's answers mean for a send: the rules of docs/producers.md, as packages/producer has them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import Any, Mapping, Optional

from botocore import exceptions

# Errors of requests that were sent and whose answer did not come; all other errors of boto3's own are of requests that were not.
_LOST = (exceptions.HTTPClientError, exceptions.IncompleteReadError)


@dataclass(frozen=True)
class SendFailure:
    """Why a request failed as a whole.

    ``kind``: ``transient`` (the same request may succeed later), ``message`` (it is about one of its messages), ``unclear`` (it may
    be, or about every request to this queue) or ``final`` (no use to try again).
    """

    kind: str
    may_have_arrived: bool
    code: str
    text: str


def send_failure_of(error: Exception) -> SendFailure:
    """What an error that sending a batch raised means.

    Only throttling, and a connection that was never made, show of a failure that may pass that nothing has arrived. An answer that
    cannot be read, or has no code, says nothing: with the query protocol boto3 does not even tell its status.
    """
    if isinstance(error, exceptions.ClientError):
        answer: Mapping[str, Any] = error.response.get("Error") or {}
        code = _code_of(answer)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        text = f"{code} {answer.get('Message') or ''}".strip()
        # SQS does not redirect.
        if code == "" or 0 < status < 400:
            return SendFailure("transient", True, code, f"SQS answered {status} without a code that can be read")
        kind = sqs_error_kind(code, status)
        if kind == "parcel":
            return SendFailure("message" if bare_code(code) in _table()["ofOneMessage"] else "unclear", False, code, text)
        if kind in ("throttled", "unreachable", "service"):
            return SendFailure("transient", kind != "throttled", code, text)
        return SendFailure("final", False, code, text)
    name, text = type(error).__name__, f"{type(error).__name__}: {error}"
    # boto3 has one error for all of TLS: once the handshake has ended the request may have been read.
    made = isinstance(error, exceptions.SSLError) and not _in_handshake(error)
    if isinstance(error, exceptions.ConnectionError) and not made:
        return SendFailure("transient", False, name, text)
    if isinstance(error, exceptions.BotoCoreError) and not made and not isinstance(error, _LOST):
        return SendFailure("final", False, name, text)
    # The answer was lost, or boto3 stumbled over it: its parsers raise all sorts of errors.
    return SendFailure("transient", True, name, text)


def _code_of(answer: Mapping[str, Any]) -> str:
    """The code of an answer; empty where it has none: boto3 puts the status there, or "Unknown", or what stands in its place.

    The newer protocol's own goes before that in the header of the older one, which boto3 prefers.
    """
    for code in (answer.get("QueryErrorCode"), answer.get("Code")):
        bare = _without_namespace(code) if isinstance(code, str) else ""
        if bare != "Unknown" and not re.fullmatch(r"[0-9]*", bare):
            return bare
    return ""


def _in_handshake(error: Optional[BaseException]) -> bool:
    """Whether the error, or one that it was made of, came out of TLS's handshake."""
    while error is not None:
        if any(frame.f_code.co_name == "do_handshake" for frame, _ in walk_tb(error.__traceback__)):
            return True
        error = error.__cause__ or error.__context__
    return False


def sqs_error_kind(code: str, status: Optional[int] = None) -> str:
    """What an error means, by the worker's own table of codes; where that does not know the code, by the status."""
    kind = _kinds().get(bare_code(code))
    if kind is not None or status is None:
        return kind or "other"
    if status == 429:
        return "throttled"
    if status == 408:
        return "unreachable"
    return "service" if status >= 500 else "other"


def failed_entries(answer: Any, ids: list[str]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """What the answer to a batch says of the entries that it does not name as sent.

    ``message``: at fault itself, it would be refused again. ``again``: not for its own fault, whatever SQS's ``SenderFault`` says:
    throttling and KMS are marked so, too. ``unconfirmed``: named in neither list, or in both, so that it may have arrived.
    """
    sent, failed = entries_in(answer, "Successful"), entries_in(answer, "Failed")
    said: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for key in ids:
        if (key in sent) == (key in failed):
            said[key] = ("unconfirmed", {})
        elif key in failed:
            entry = failed[key]
            at_fault = entry.get("SenderFault") is True and sqs_error_kind(str(entry.get("Code", ""))) == "parcel"
            said[key] = ("message" if at_fault else "again", entry)
    return said


def entries_in(answer: Any, part: str) -> dict[str, Mapping[str, Any]]:
    """The entries of one part of an answer, by their ids. What stands between may answer anything."""
    entries = answer.get(part) if isinstance(answer, Mapping) else None
    listed = entries if isinstance(entries, list) else []
    return {entry["Id"]: entry for entry in listed if isinstance(entry, Mapping) and isinstance(entry.get("Id"), str)}


def bare_code(code: str) -> str:
    """Without what differs between SQS's protocols."""
    code = re.sub(r"^KMS\.", "Kms", re.sub(r"^AWS\.SimpleQueueService\.", "", _without_namespace(code)))
    return re.sub(r"Exception$", "", code)


def _without_namespace(code: str) -> str:
    """`namespace#CODE:URI` to `CODE`."""
    return re.split("[,:]", code)[0].split("#")[-1]


@lru_cache(maxsize=None)
def _kinds() -> Mapping[str, str]:
    return {code: kind for kind, codes in _table()["kinds"].items() for code in codes}


@lru_cache(maxsize=None)
def _table() -> Mapping[str, Any]:
    """Made from the worker's own, which has more kinds than a send needs."""
    table: Mapping[str, Any] = json.loads((Path(__file__).parent / "errors.json").read_text(encoding="utf-8"))
    return table
