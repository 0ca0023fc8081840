"""Owns how the server's log looks: lines for people, or one JSON object a line for machines.

What is logged never holds audio, names of files, form fields or tokens; see ``ser.api.request_log``.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = "ser_fields"  # attribute of a record with what its sentence says, by name


class JsonFormatter(logging.Formatter):
    """One object a line: when, how bad, who says it, what; and the fields of the record."""

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
    """Sends what this process logs to stderr.

    Args:
        form: ``text`` or ``json``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("ser").setLevel(logging.INFO)  # others stay at WARNING: torch has much to say
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
