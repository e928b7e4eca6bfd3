"""What is being published again, for operators to watch: done, left, rate and when it will end.

Each replica writes what its partitions do, once a second where there is news; a job that ended
stays a day, and a change that touched nothing is no job. Nothing is decided by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.distribution.products.emission import Job
from shared.mongo import Database, IndexModel, faults
from shared.mongo.client import UpdateOne
from shared.runtime.clock import Clock, rfc3339
from shared.web import Route
from shared.web.answers import json_answer

COLLECTION: Final = "product_jobs"
KEPT: Final = timedelta(days=1)
MOST: Final = 1_000
INDEXES: Final = (
    IndexModel([("until", 1)], name="until", expireAfterSeconds=0),
    IndexModel([("state", 1)], name="state"),
)


@dataclass(frozen=True, slots=True)
class Board:
    """The jobs of all replicas, in the store."""

    database: Database
    clock: Clock

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        with faults():
            await self.database[COLLECTION].create_indexes(list(INDEXES))

    async def write(self, replica: str, jobs: Iterable[tuple[int, Job]]) -> None:
        """Write down how jobs of partitions stand; of one subject the last one counts."""
        newest = {f"{partition}/{job.kind}/{job.name}": (partition, job) for partition, job in jobs}
        if not newest:
            return
        changes = [
            UpdateOne({"_id": key}, {"$set": self._stands(job, replica, partition)}, upsert=True)
            for key, (partition, job) in newest.items()
        ]
        with faults():
            await self.database[COLLECTION].bulk_write(changes, ordered=False)

    async def take_over(self, partition: int) -> None:
        """End what is written of a partition: whoever has it now compares it as a whole."""
        under_way = {"partition": partition, "state": {"$in": ["running", "waiting"]}}
        ended = {"state": "superseded", "eta": None, "until": self.clock.now() + KEPT}
        with faults():
            await self.database[COLLECTION].update_many(under_way, {"$set": ended})

    def _stands(self, job: Job, replica: str, partition: int) -> dict[str, Any]:
        now = self.clock.monotonic()
        eta = job.eta(now)
        ended = job.state in {"done", "superseded"}
        return {
            "partition": partition,
            "kind": job.kind,
            "name": job.name,
            "state": job.state,
            "total": job.total,
            "left": job.left,
            "done": job.done,
            "rate": round(job.rate(now), 1),
            "eta": None if ended or eta is None else round(eta, 1),
            "began": job.began,
            "at": self.clock.now(),
            "replica": replica,
            "until": self.clock.now() + KEPT if ended else None,
        }

    async def read(self, state: str | None) -> list[dict[str, Any]]:
        """Return up to 1,000 jobs, of one state where it is given."""
        asked = {"state": state} if state else {}
        with faults():
            return await self.database[COLLECTION].find(asked, limit=MOST).to_list(MOST)


class ShownJob(BaseModel):
    """One partition's share of publishing again what one change touched."""

    partition: int
    kind: str = Field(description="What changed: prefix, title or work.")
    name: str
    state: str = Field(
        description=(
            "running; waiting for the read model; done; superseded by a newer change,"
            " or by whoever took the partition over."
        )
    )
    total: int | None = Field(
        description="Works to publish again when it began; null: not counted."
    )
    left: int
    done: int
    rate: float = Field(description="Works a second so far.")
    eta: float | None = Field(description="Seconds until it is done at this rate; null: unknown.")
    began: str
    at: str = Field(description="When this was true.")
    replica: str


class ShownJobs(BaseModel):
    """Every job, and their sum."""

    left: int = Field(description="Works left in all running and waiting jobs.")
    eta: float | None = Field(description="Seconds until the last of them is done.")
    jobs: list[ShownJob]


class JobsAsked(BaseModel):
    """Which jobs to list."""

    model_config = ConfigDict(extra="forbid")

    state: str | None = Field(
        default=None,
        pattern="^(running|waiting|done|superseded)$",
        description="Only jobs of this state.",
    )


def routes(board: Board) -> tuple[Route, ...]:
    """Return the routes that show jobs."""

    async def show(request: web.Request) -> web.Response:
        found = await board.read(request.query.get("state"))
        return json_answer(shown(found).model_dump())

    return (
        Route(
            "GET",
            "/products/jobs",
            show,
            "List what the topic products publish again",
            query=JobsAsked,
            responses={200: ShownJobs},
            auth="operator",
            tags=("products",),
        ),
    )


def shown(documents: Sequence[dict[str, Any]]) -> ShownJobs:
    """Return jobs as operators see them, the newest first."""
    jobs = [
        ShownJob(
            **{
                **{name: one[name] for name in ShownJob.model_fields},
                "began": rfc3339(one["began"]),
                "at": rfc3339(one["at"]),
            }
        )
        for one in sorted(documents, key=lambda one: one["began"], reverse=True)
    ]
    open_ones = [one for one in jobs if one.state in {"running", "waiting"}]
    etas = [one.eta for one in open_ones if one.eta is not None]
    return ShownJobs(
        left=sum(one.left for one in open_ones), eta=max(etas, default=None), jobs=jobs
    )
