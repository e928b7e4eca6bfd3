"""Who may do what at the broker, derived from deploy/topics.toml. Pure.

A service writes its own topics and reads all but other services' personal ones; retention, which
ends keys and has to show that what was under them is gone, reads those too. An indexer reads
the products of its audiences and writes none. Nobody else may do anything; the administrator needs
no rights, for the broker's own settings name him.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from re import fullmatch
from typing import Final, Literal

from shared.kafka.topics import Audience, Topic, declared

Operation = Literal["read", "write"]  # each includes describe
Resource = Literal["topic", "group", "transactional-id"]
Pattern = Literal["literal", "prefixed"]

STANDING: Final[frozenset[Audience]] = frozenset({"public"})
INDEXER: Final = "indexer-"
LOOKS_EVERYWHERE: Final = "retention"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """What a user may do, from any host, to a resource of that name or beginning with it.

    Words are Kafka's own in small letters, so that rights somebody else gave can be told, too.
    """

    user: str
    operation: str
    resource: str
    name: str
    pattern: str = "literal"
    host: str = "*"


def services() -> frozenset[str]:
    """Return the users that write topics."""
    return frozenset(topic.writer for topic in declared().values())


def of_service(service: str, prefix: str = "") -> frozenset[Right]:
    """Return what a service may do: write its topics, read, and use groups and ids of its name."""
    return frozenset(_of_service(service, prefix))


def _of_service(service: str, prefix: str) -> Iterator[Right]:
    own = f"{prefix}{service}."
    yield _right(service, "read", "group", own, "prefixed")
    # An idempotent producer needs no right of its own: one to write any topic includes it.
    yield _right(service, "write", "transactional-id", own, "prefixed")
    for topic in declared().values():
        if topic.writer == service:
            yield _right(service, "write", "topic", prefix + topic.name)
        if service in (topic.writer, LOOKS_EVERYWHERE) or not _personal(topic):
            yield _right(service, "read", "topic", prefix + topic.name)


def of_indexer(
    organisation: int, prefix: str = "", *, audiences: Collection[Audience] = STANDING
) -> frozenset[Right]:
    """Return what an organisation's indexer may do: read products of ``audiences``, in its groups.

    ``public`` it may read as long as it is known here, ``plus`` while its agreement runs.
    """
    user = indexer(organisation)
    products = {topic.name for topic in declared().values() if topic.audience in audiences}
    return frozenset(
        {
            groups_of(organisation, prefix),
            *(_right(user, "read", "topic", prefix + name) for name in products),
        }
    )


def groups_of(organisation: int, prefix: str = "") -> Right:
    """Return the right by which an indexer is known here: to groups that begin with its name."""
    user = indexer(organisation)
    return _right(user, "read", "group", f"{prefix}{user}.", "prefixed")


def indexer(organisation: int) -> str:
    """Return the name of an organisation's indexer at the broker."""
    return f"{INDEXER}{organisation}"


def organisation_of(user: str) -> int | None:
    """Return whose indexer a user is, None where it is none."""
    found = fullmatch(rf"{INDEXER}([1-9][0-9]{{0,15}})", user)
    return int(found[1]) if found else None


def _right(
    user: str, operation: Operation, resource: Resource, name: str, pattern: Pattern = "literal"
) -> Right:
    return Right(user, operation, resource, name, pattern)


def _personal(topic: Topic) -> bool:
    return topic.name.split(".")[-2] == "personal"
