"""One structured line a fact, ``key=value`` for people or JSON for machines, on standard output.

Never a payload, a name, an e-mail, a login, a token: the processor below drops such keys rather
than trust every caller.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

PRIVATE: Final = frozenset(
    {"password", "token", "login", "email", "name", "authorization", "body", "payload", "secret"}
)


def _without_private(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in PRIVATE & event.keys():
        event[key] = "[withheld]"
    return event


def configure(*, service: str, level: str = "info", json: bool = False) -> None:
    """Set up the process's log once, at its start; ``level`` is debug, info, warning or error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_private,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    # While a broker is away its client says so thirty times a second; our own gauges say it once.
    for noisy in ("aiokafka", "aiokafka.conn", "aiokafka.producer.sender"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def get_log(name: str) -> Any:
    """Return the logger of a module; ``name`` stands in each of its lines."""
    # Not bind(): that would fix the settings of the moment, before configure() was called.
    return structlog.get_logger(module=name)
