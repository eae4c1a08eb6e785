"""What becomes of updates that are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Union


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
    """Requests made, those that failed included."""
    failure: Optional[str] = None
    """Why the sending ended early."""

    def count(self, kind: type) -> int:
        return sum(isinstance(result, kind) for result in self.results)
