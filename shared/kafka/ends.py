"""Where topics end, for who reads them whole: up to here, and not for ever; and which there are."""

from collections.abc import Sequence

from shared.kafka.follow import Place, answering, places_of


async def ends(bootstrap: str, topics: Sequence[str], *, prefix: str = "") -> dict[Place, int]:
    """Return the offset behind the last record readers may see, of each partition of ``topics``.

    What was committed before the call stands below. Raises ``Transient`` while the broker is away.
    """
    places = places_of(topics, prefix)
    async with answering(bootstrap) as consumer:
        consumer.assign(list(places))
        found = await consumer.end_offsets(list(places))
    return {place: found[where] for where, place in places.items()}


async def missing(bootstrap: str, names: Sequence[str]) -> set[str]:
    """Return which of these topics the broker does not have, or shows to nobody here.

    Raises ``Transient`` while the broker is away.
    """
    async with answering(bootstrap) as consumer:
        there: set[str] = await consumer.topics()
    return set(names) - there


async def since(
    bootstrap: str, topics: Sequence[str], milliseconds: int, *, prefix: str = ""
) -> dict[Place, int]:
    """Return the offset of the first record the broker took at a time or later, of each partition.

    Where there is none it is the end. Raises ``Transient`` while the broker is away.
    """
    places = places_of(topics, prefix)
    async with answering(bootstrap) as consumer:
        consumer.assign(list(places))
        found = await consumer.offsets_for_times(dict.fromkeys(places, milliseconds))
        last = await consumer.end_offsets(list(places))
    return {
        place: last[where] if found.get(where) is None else found[where].offset
        for where, place in places.items()
    }
