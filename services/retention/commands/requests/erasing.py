"""Where a request meets erasures: it begins one, once all else is done, and follows it."""

from typing import Final

from services.retention.commands.requests import packing
from services.retention.commands.requests.context import Requests
from services.retention.model.requests import handling as model
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import KeptRequest, no
from shared.events.decisions import Refused

# Steps of an erasure (model/erasures.py): from where on it is proven, and where it erased nothing.
CERTIFIED: Final = frozenset({"certified", "closed"})
GIVEN_UP: Final = frozenset({"refused", "taken-back"})
CLOCK: Final = "clock"
OPERATOR: Final = "operator"


def away(requests: Requests, request: KeptRequest) -> Refused[Refusal] | None:
    """Refuse to decide on an erasure where this process has nothing that carries one out."""
    if requests.rooms.erasing is None and requests.policy.erases(request.kinds):
        return no("erasing-away")
    return None


async def begin(requests: Requests, request: KeptRequest, *, correlation: str) -> KeptRequest:
    """Begin the erasure that a request asks for, once, and write down which; else do nothing.

    Raises ``Transient``.
    """
    room = requests.rooms.erasing
    if room is None or not model.to_be_erased(request, requests.policy):
        return request
    if packing.waits(requests, request):
        return request  # the package is read from what is erased then
    indexes = await requests.covered(request)
    if indexes is None:
        return request
    sealed = await room.sealed(request.request, indexes)
    exempt = [(one.cls, one.reason, one.review_at) for one in request.exempt]
    erasure = await room.asked(request.request, sealed, exempt=exempt, actor=OPERATOR)
    by = requests.by(OPERATOR)
    saved = await requests.store.requests.update(
        request.request,
        lambda state: model.erasing(state, by, erasure=erasure),
        correlation=correlation,
    )
    return request if isinstance(saved, Refused) else saved.state


async def follow(requests: Requests, request: KeptRequest) -> KeptRequest:
    """See how far the erasure of a request is; once certified, the person is told by mail.

    Where only a letter can tell it, the request stays with staff, who answer it.
    """
    room = requests.rooms.erasing
    if room is None or request.erasure is None or not request.open:
        return request
    by = requests.by(CLOCK)
    stands = await room.stands(request.erasure)
    if stands in GIVEN_UP:
        ended = await requests.store.requests.update(
            request.request, lambda state: model.erasure_ended(state, by)
        )
        return request if isinstance(ended, Refused) else ended.state
    if stands not in CERTIFIED:
        return request
    saved = await requests.store.requests.update(
        request.request, lambda state: model.erased(state, by)
    )
    if isinstance(saved, Refused):
        return request
    request = saved.state
    answered = await requests.store.requests.update(
        request.request,
        lambda state: model.answer(state, by, by_letter=False, notes={}, policy=requests.policy),
    )
    return request if isinstance(answered, Refused) else answered.state
