"""Users of the broker as its administrator makes them: services, and indexers by their names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.kafka import rights
from shared.kafka.admin import Administrator
from shared.kafka.rights import Right
from shared.kafka.topics import declared
from shared.runtime.ids import new_token


class NobodysName(Exception):
    """No service and no indexer is called like this."""


@dataclass(frozen=True, slots=True)
class User:
    """What the broker knows of a user: how many topics it writes, which products it reads."""

    name: str
    has_password: bool
    writes: int
    products: tuple[str, ...]


def standing(name: str, prefix: str) -> frozenset[Right]:
    """Return what a user may do whatever agreements say. Raises ``NobodysName``."""
    if name in rights.services():
        return rights.of_service(name, prefix)
    organisation = rights.organisation_of(name)
    if organisation is None:
        raise NobodysName(
            f"{name} is neither a service ({', '.join(sorted(rights.services()))})"
            " nor indexer-<number of an organisation>"
        )
    return rights.of_indexer(organisation, prefix)


async def add(admin: Administrator, name: str, prefix: str = "") -> str:
    """Make a user with its standing rights, or give one a new password; return the password."""
    await admin.grant(standing(name, prefix))
    password = new_token()
    await admin.set_password(name, password)
    return password


async def remove(admin: Administrator, name: str, prefix: str = "") -> bool:
    """Take all rights from a user, at once for open connections, and its password.

    False where there was neither.
    """
    standing(name, prefix)
    held = {one for one in await admin.rights() if one.user == name and _under(one, prefix)}
    await admin.withdraw(held)
    return await admin.forget(name) or bool(held)


async def listed(admin: Administrator, prefix: str = "") -> list[User]:
    """Return services and indexers that have a password or a right, in the order of names."""
    held = {one for one in await admin.rights() if _ours(one.user) and _under(one, prefix)}
    with_password = {name for name in await admin.users() if _ours(name)}
    return [
        User(
            name,
            name in with_password,
            sum(one.operation == "write" for one in _topics(held, name)),
            tuple(
                topic
                for topic, about in declared().items()
                if about.audience
                and any(
                    one.operation == "read" and one.name == prefix + topic
                    for one in _topics(held, name)
                )
            ),
        )
        for name in sorted(with_password | {one.user for one in held})
    ]


async def apply(
    admin: Administrator, prefix: str = "", passwords: Mapping[str, str] | None = None
) -> tuple[int, int]:
    """Make services' rights what deploy/topics.toml implies; return how many were given and taken.

    ``passwords``, by service, are set whether they changed or not.
    """
    services = rights.services()
    held = {one for one in await admin.rights() if one.user in services and _under(one, prefix)}
    wanted = {one for service in services for one in rights.of_service(service, prefix)}
    await admin.grant(wanted - held)
    await admin.withdraw(held - wanted)
    for service, password in (passwords or {}).items():
        await admin.set_password(service, password)
    return len(wanted - held), len(held - wanted)


def _ours(name: str) -> bool:
    return name in rights.services() or rights.organisation_of(name) is not None


def _under(right: Right, prefix: str) -> bool:
    return right.name.startswith(prefix)


def _topics(held: Collection[Right], name: str) -> list[Right]:
    return [one for one in held if one.user == name and one.resource == "topic"]
