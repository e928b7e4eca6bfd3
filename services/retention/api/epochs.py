"""Routes about key epochs, for operators."""

from datetime import datetime
from functools import partial
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from services.retention.erasure.rotation import Rotation
from services.retention.model.epochs import BEFORE, Epoch, KeptEpochs
from shared.web import Problem, Route, json_answer

UNDER_WAY: Final = Problem(
    409, "rotation-under-way", "The epoch that began last has not taken over all keys yet."
)


class EpochView(BaseModel):
    """One epoch; ``made_at`` is null where it was there before anybody wrote it down."""

    number: int
    made_at: datetime | None
    took_over_at: datetime | None
    gone_at: datetime | None

    @classmethod
    def of(cls, one: Epoch) -> "EpochView":
        """Show an epoch."""
        return cls(
            number=one.number,
            made_at=_known(one.made_at),
            took_over_at=_known(one.swept_at),
            gone_at=one.gone_at,
        )


class EpochsView(BaseModel):
    """The epochs that stand and those that ended last."""

    current: int
    backup_bound_seconds: int
    epochs: tuple[EpochView, ...]


async def shown(rotation: Rotation, _request: web.Request) -> web.Response:
    """Show which epochs keys are wrapped under, and which ended when."""
    return json_answer(_view(rotation, await rotation.shown()))


async def begun(rotation: Rotation, _request: web.Request) -> web.Response:
    """Begin an epoch; all keys are wrapped under it, and the one before the last ends."""
    done = await rotation.begin()
    if done is None:
        raise UNDER_WAY
    return json_answer(_view(rotation, done), status=202)


def routes(rotation: Rotation) -> list[Route]:
    """Return the routes."""
    return [
        Route(
            "GET",
            "/epochs",
            partial(shown, rotation),
            "Show the epochs that keys are wrapped under",
            responses={200: EpochsView},
            auth="operator",
            tags=("keys",),
        ),
        Route(
            "POST",
            "/epochs",
            partial(begun, rotation),
            "Begin a key epoch, so that copies of keys become useless",
            responses={202: EpochsView},
            auth="operator",
            tags=("keys",),
        ),
    ]


def _view(rotation: Rotation, known: KeptEpochs) -> EpochsView:
    return EpochsView(
        current=known.newest.number,
        backup_bound_seconds=int(rotation.row.backup_bound.total_seconds()),
        epochs=tuple(EpochView.of(one) for one in known.epochs),
    )


def _known(at: datetime | None) -> datetime | None:
    return None if at == BEFORE else at
