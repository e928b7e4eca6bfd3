"""Mails that a person is owed: posted after the step that owes them, by whoever comes first.

The step is written with what it owes, so that no mail is lost with a process; of its cause there is
one, so that none is doubled.
"""

from services.retention.commands.requests import packing
from services.retention.commands.requests.context import Requests
from services.retention.mails import requests as mails
from services.retention.model.requests import deadlines
from services.retention.model.requests import handling as model
from services.retention.model.requests.state import KeptRequest, Mail
from shared.events.decisions import Refused

NOTES = {"extended": "extension", "answered": "answer", "refused": "answer"}


async def settle(requests: Requests, request: KeptRequest) -> KeptRequest:
    """Post what is owed, and write down that it was. Raises ``Transient``."""
    for mail in request.owed:
        await _post(requests, request, mail)
        saved = await requests.store.requests.update(
            request.request,
            lambda state, mail=mail: model.posted(state, mail),  # type: ignore[misc]
        )
        if not isinstance(saved, Refused):
            request = saved.state
    return request


async def _post(requests: Requests, request: KeptRequest, kind: Mail) -> None:
    requester = await requests.requester(request)
    representative = await requests.representative(request)
    whom = representative or requester
    if whom is None or not whom.email:
        return  # it was erased meanwhile: there is nobody to be told
    notes = await requests.notes(request)
    reason = requests.policy.refusal(request.reason or "")
    message = mails.to_person(
        kind,
        request,
        whom.email,
        pages=requests.pages,
        due=deadlines.due_at(request, requests.policy, requests.now()),
        fee=_costs(requests),
        note=notes.get(NOTES.get(kind, ""), ""),
        code=packing.code_of(requests, request.request) if kind == packing.PACKAGE else "",
        reason=reason.says if reason else "",
    )
    await requests.post_to_person(message, requests.index.all(whom.email), actor="operator")


def _costs(requests: Requests) -> str:
    """Say what the answer costs (DOAJ-9a8)."""
    fee = requests.policy.file.fee
    return f"It costs {fee.amount} {fee.currency}." if fee.amount else "It costs nothing."
