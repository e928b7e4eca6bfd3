"""What is wanted of the hosts' search indexes, and what each host says of it.

One number in the store: the rebuild that is wanted. A host that shows an older one builds; a host
that is away builds when it comes back.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.distribution.rebuild.pointer import ReadModels
from shared.mongo import faults
from shared.mongo.client import UpdateOne

WISH: Final = "search"


async def wanted(models: ReadModels) -> int:
    """Return the number of the rebuild that is wanted, 0 where none is or it was given up."""
    with faults():
        found = await models.pointers.find_one({"_id": WISH}) or {}
    number = int(found.get("wanted", 0))
    return 0 if number == found.get("given_up") else number


async def want(models: ReadModels) -> int:
    """Want another rebuild; returns its number, and forgets what was said of earlier ones."""
    with faults():
        await models.pointers.bulk_write(
            [UpdateOne({"_id": WISH}, {"$inc": {"wanted": 1}}, upsert=True)], ordered=False
        )
        found = await models.pointers.find_one({"_id": WISH})
        assert found is not None
        for one in await told(models):
            if one["search"] < found["wanted"]:
                await models.pointers.delete_many({"_id": one["_id"]})
    return int(found["wanted"])


async def give_up(models: ReadModels) -> int:
    """Want the newest rebuild no more: hosts stop building it. Returns its number, or 0."""
    number = await wanted(models)
    if number:
        with faults():
            await models.pointers.bulk_write(
                [UpdateOne({"_id": WISH}, {"$set": {"given_up": number}})], ordered=False
            )
    return number


async def tell(models: ReadModels, replica: str, number: int, **what: Any) -> None:
    """Write down how far a host is."""
    with faults():
        await models.pointers.bulk_write(
            [
                UpdateOne(
                    {"_id": f"{WISH}-{replica}"},
                    {"$set": {"replica": replica, "search": number, **what}},
                    upsert=True,
                )
            ],
            ordered=False,
        )


async def tell_done(models: ReadModels, replica: str, number: int, works: int) -> None:
    """Write down that a host is done, where its last word was another one."""
    same = {"_id": f"{WISH}-{replica}", "search": number, "state": {"$ne": "done"}}
    with faults():
        await models.pointers.bulk_write(
            [UpdateOne(same, {"$set": {"state": "done", "works": works, "behind": 0}})],
            ordered=False,
        )


async def told(models: ReadModels, number: int | None = None) -> list[Mapping[str, Any]]:
    """Return what each host said last, of one rebuild or of any."""
    with faults():
        found = await models.pointers.find({}).to_list(None)
    return [one for one in found if "search" in one and (number is None or one["search"] == number)]
