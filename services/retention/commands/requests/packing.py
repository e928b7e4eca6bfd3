"""Where a request meets access packages: it asks for one by itself, and mails what opens it.

The code follows from the request's number under a key of this service, so that whoever goes on
after a crash mails the same one, and nobody keeps it in clear.
"""

from typing import Final

from services.retention.commands.requests.context import Requests
from services.retention.model.requests import packing as model
from services.retention.model.requests.state import KeptRequest
from shared.events.decisions import Refused
from shared.privacy.tokens import code_that_follows

PACKAGE: Final = "package"
GIVEN_UP: Final = frozenset({"refused", "taken-back"})


def code_of(requests: Requests, request: str) -> str:
    """Return the code that opens the package of a request."""
    return code_that_follows(requests.code_key, f"{PACKAGE}:{request}")


def waits(requests: Requests, request: KeptRequest) -> bool:
    """Say whether the person's data are still to be put into a package."""
    return requests.rooms.packages is not None and model.awaited(request, requests.policy)


async def begin(requests: Requests, request: KeptRequest) -> KeptRequest:
    """Ask for the package of a confirmed request for access, once; else do nothing.

    Raises ``Transient``.
    """
    room = requests.rooms.packages
    if room is None or not model.to_be_packed(request, requests.policy):
        return request
    indexes = await requests.covered(request)
    if indexes is None:
        return request
    code = code_of(requests, request.request)
    _package, known = await room.asked(request.request, indexes, code=code)
    decide = model.asked if known == code else model.by_staff
    saved = await requests.store.requests.update(request.request, decide)
    return request if isinstance(saved, Refused) else saved.state


async def follow(requests: Requests, request: KeptRequest) -> KeptRequest:
    """See whether the package can be fetched; then the person is owed its code.

    Raises ``Transient``.
    """
    room = requests.rooms.packages
    if room is None or request.package != "asked":
        return request
    if request.status in GIVEN_UP:
        await room.end(request.request, "taken-back")
    package = await room.shown(request.request)
    if package is not None and package.step == "ready" and package.until is not None:
        until = package.until
        saved = await requests.store.requests.update(
            request.request, lambda known: model.ready(known, until)
        )
    elif package is None or package.step in ("going", "gone"):
        saved = await requests.store.requests.update(request.request, model.by_staff)
    else:
        return request
    return request if isinstance(saved, Refused) else saved.state
