"""What erasures kept by a decision: looked at again on the day that was named with it (DOAJ-6a4).

On that day a review is opened, of one class that one erasure kept. Keeping it on needs a reason and
another day, as of any record; that it goes is a new erasure, and the review is done.
"""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from services.retention.commands.reports import KeptRounds, reached
from services.retention.commands.reviews import Reviews
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.facts import EVER
from services.retention.model.reviews import KeptReview
from services.retention.store.holding import PAGE, page
from shared.mongo import Aggregates
from shared.policy.erasure import ErasurePolicy
from shared.runtime.clock import SYSTEM, Clock

KIND: Final = "exemption"
ROUNDS: Final = "exemptions"
REVIEWS: Final = uuid.UUID("0f6f2a54-3a0e-5d5c-9a77-5f7c5d1f3c21")  # of ids of these reviews
LATE: Final = timedelta(hours=1)  # so long a certificate may take to be found after its date


@dataclass(frozen=True, slots=True)
class Exemptions:
    """Looks for what comes up; classes ``besides`` have a rule of the schedule that asks."""

    erasures: Aggregates[KeptErasure]
    rounds: Aggregates[KeptRounds]
    reviews: Reviews
    policy: ErasurePolicy
    besides: Collection[str]
    clock: Clock = SYSTEM

    async def step(self) -> None:
        """Open the reviews that came up since the last look, each once. Raises ``Transient``."""
        now = self.clock.now()
        begun = await self.rounds.load(ROUNDS)
        since = begun.until - LATE if begun else EVER
        asked, after = {"exempt_until": {"$gt": since, "$lte": now}}, ""
        while rows := await page(self.erasures.collection, asked, after=after, most=PAGE):
            after = rows[-1]["_id"]
            for row in rows:
                for review in self._due(self.erasures.parse(row["state"]), now):
                    await self.reviews.ask(review)
        await self.rounds.update(ROUNDS, partial(reached, until=now))

    def _due(self, erasure: KeptErasure, now: datetime) -> Iterator[KeptReview]:
        row = self.policy.file.exempted
        for one in erasure.exempt:
            if one.review_at > now or one.cls in self.besides:
                continue
            record = f"{erasure.erasure}.{one.cls}"
            yield KeptReview(
                review=str(uuid.uuid5(REVIEWS, record)),
                rule=row.id,
                clause=row.clause,
                schedule=self.policy.version,
                action="review",
                office=row.review,
                needs=1,
                kind=KIND,
                record=record,
                due=one.review_at,
                asked_at=now,
                version=1,
            )
