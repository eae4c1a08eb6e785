"""Sends OTA task updates to the SQS queue of ota-updater."""

from .producer import UpdateProducer
from .report import Refused, SendReport, Sent, Unsent
from .trace import Trace
from .update import Update, faults_of, load_schema

__all__ = [
    "Refused",
    "SendReport",
    "Sent",
    "Trace",
    "Unsent",
    "Update",
    "UpdateProducer",
    "faults_of",
    "load_schema",
]
