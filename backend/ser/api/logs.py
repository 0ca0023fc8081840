"""Formats the server's log: lines for people, or one JSON object per line for machines.

The log never contains audio, file names, form fields or tokens; see ``ser.api.request_log``.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = "ser_fields"  # attribute of a record with its values by name


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line of a record."""
        shape = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            shape["error"] = self.formatException(record.exc_info)
        return json.dumps(shape, ensure_ascii=False)


def set_up(form: str) -> None:
    """Sends the log of this process to stderr.

    Args:
        form: ``text`` or ``json``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("ser").setLevel(logging.INFO)  # others stay at WARNING: torch logs a lot
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
