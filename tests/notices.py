"""Versions of notices, as short as they can be."""

from datetime import UTC, datetime

from shared.events.consent import Controller, NoticeVersion, Officer


def version(number: int = 1, since: str = "2023-11-01") -> NoticeVersion:
    """Return a version of a notice, in force since a day in UTC."""
    begun = datetime.fromisoformat(since).replace(tzinfo=UTC)
    return NoticeVersion(
        number=number,
        label=str(number),
        sha=64 * "a",
        language="en",
        change="editorial",
        reviewed="yearly",
        controller=Controller(name="C", address="A", jurisdiction="J", scope="S"),
        officer=Officer(role="officer", name="O", email="o@x.example", post="P"),
        feedback="f@x.example",
        published_at=begun,
        effective_at=begun,
    )
