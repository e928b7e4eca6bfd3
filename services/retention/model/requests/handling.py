"""What staff do with a request, until the person is answered (DOAJ-9a1, 9a9, 11)."""

from collections.abc import Mapping

from services.retention.model.requests import deadlines
from services.retention.model.requests.deadlines import Telling
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import (
    UNKNOWN,
    By,
    Decided,
    Exempt,
    KeptRequest,
    Mail,
    no,
)
from services.retention.model.requests.steps import barred, fact, stepped
from shared.events.consent import NoticeRef
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import Sealed
from shared.events.requests import (
    Outcome,
    RequestAdvanced,
    RequestAnswered,
    RequestAssessed,
    RequestAssigned,
    RequestDenied,
    RequestExtended,
    RequestPause,
    RequestPaused,
    RequestReminded,
    RequestResumed,
    RequestTakenBack,
    RequestTask,
)
from shared.policy.requests import RequestsPolicy

Notes = Mapping[str, Sealed]


def assign(known: KeptRequest | None, by: By, *, handler: str, policy: RequestsPolicy) -> Decided:
    """Give a request to somebody else; never to whom it is about (DOAJ-11)."""
    if known is None:
        return UNKNOWN
    refused = barred(known, "assign")
    if refused is not None:
        return refused
    if handler in known.against:
        return no("complained-about", "", "DOAJ-11", "/handler")
    routing = policy.file.routing
    if not handler.startswith("p") and handler not in (routing.first, routing.instead):
        return no("handler-unknown", "", "DOAJ-11", "/handler")
    if handler == known.handler:
        return Unchanged(known)
    said = fact("assigned", by.actor, by.now, handler)
    return stepped(known, RequestAssigned, [said], handler=handler)


def assess(
    known: KeptRequest | None, by: By, *, exempt: tuple[Exempt, ...], policy: RequestsPolicy
) -> Decided:
    """Decide that it is done, and what that takes: tasks, and what an erasure keeps."""
    if known is None:
        return UNKNOWN
    if known.assessed_at is not None and known.open:
        same = known.exempt == exempt or not exempt
        return Unchanged(known) if same else no("not-now", "It was assessed otherwise.")
    refused = barred(known, "assess")
    if refused is not None:
        return refused
    if policy.erases(known.kinds) and not known.subjects:
        return no("address-needed", "", "DOAJ-9a1")
    tasks = tuple(
        RequestTask(task=row.id, service=row.service) for row in policy.tasks_of(known.kinds)
    )
    said = fact("assessed", by.actor, by.now)
    return stepped(
        known,
        RequestAssessed,
        [said],
        status="assessed",
        assessed_at=by.now,
        tasks=tasks,
        exempt=exempt,
        policy=policy.version,
    )


def do(known: KeptRequest | None, by: By, *, task: str, outcome: Outcome, notes: Notes) -> Decided:
    """Write down that a task was done, or that there was nothing to do, with its evidence."""
    if known is None:
        return UNKNOWN
    one = next((each for each in known.tasks if each.task == task), None)
    if one is not None and one.outcome is not None:
        return Unchanged(known) if one.outcome == outcome else no("task-done-otherwise")
    refused = barred(known, "do")
    if refused is not None:
        return refused
    if one is None:
        return no("task-unknown")
    done = one.model_copy(update={"outcome": outcome, "done_at": by.now})
    tasks = tuple(done if each is one else each for each in known.tasks)
    said = fact("done", by.actor, by.now, task)
    return stepped(known, RequestAdvanced, [said], notes, status="doing", tasks=tasks)


def to_be_erased(known: KeptRequest, policy: RequestsPolicy) -> bool:
    """Say whether the erasure is to begin: last, for all else that was asked needs the data."""
    return (
        known.status in ("assessed", "doing")
        and known.erasure is None
        and policy.erases(known.kinds)
        and all(one.outcome for one in known.tasks)
    )


def erasing(known: KeptRequest | None, by: By, *, erasure: str) -> Decided:
    """Write down which erasure was begun."""
    if known is None:
        return UNKNOWN
    if known.erasure is not None:
        return Unchanged(known)
    refused = barred(known, "begin-erasing")
    if refused is not None:
        return refused
    said = fact("erasing", by.actor, by.now)
    return stepped(known, RequestAdvanced, [said], status="doing", erasure=erasure)


def erased(known: KeptRequest | None, by: By) -> Decided:
    """Write down that the erasure was certified."""
    if known is None:
        return UNKNOWN
    if was_erased(known) or not known.open:
        return Unchanged(known)
    return stepped(known, RequestAdvanced, [fact("erased", by.actor, by.now)])


def was_erased(known: KeptRequest) -> bool:
    """Say whether the erasure was certified."""
    return any(one.what == "erased" for one in known.facts)


def erasure_ended(known: KeptRequest | None, by: By) -> Decided:
    """Write down that the erasure was refused or taken back, and erased nothing.

    Of one request there is one erasure: what is left is a no to the person, or a new request.
    """
    if known is None:
        return UNKNOWN
    if _ended(known) or not known.open:
        return Unchanged(known)
    return stepped(known, RequestAdvanced, [fact("erasure-ended", by.actor, by.now)])


def _ended(known: KeptRequest) -> bool:
    return any(one.what == "erasure-ended" for one in known.facts)


def _erasing(known: KeptRequest) -> bool:
    return known.erasure is not None and not _ended(known)


def pause(known: KeptRequest | None, by: By, *, reason: str, policy: RequestsPolicy) -> Decided:
    """Let the limits wait for the person, who has to show or to say something."""
    if known is None:
        return UNKNOWN
    refused = barred(known, "pause")
    if refused is not None:
        return refused
    if reason not in policy.file.pause.reasons:
        return no("reason-unknown", "", policy.file.pause.clause, "/reason")
    if known.paused:
        same = known.pauses[-1].reason == reason
        return Unchanged(known) if same else no("paused-otherwise")
    pauses = (*known.pauses, RequestPause(reason=reason, since=by.now))
    said = fact("paused", by.actor, by.now, reason)
    return stepped(known, RequestPaused, [said], pauses=pauses)


def resume(known: KeptRequest | None, by: By) -> Decided:
    """Let the limits run on, by as much later as the pause lasted."""
    if known is None:
        return UNKNOWN
    refused = barred(known, "resume")
    if refused is not None:
        return refused
    if not known.paused:
        return Unchanged(known) if known.pauses else no("not-paused")
    *before, last = known.pauses
    pauses = (*before, last.model_copy(update={"until": by.now}))
    return stepped(known, RequestResumed, [fact("resumed", by.actor, by.now)], pauses=pauses)


def extend(
    known: KeptRequest | None,
    by: By,
    *,
    reason: str,
    by_letter: bool,
    notes: Notes,
    policy: RequestsPolicy,
) -> Decided:
    """Take more time, once, and tell the person within the first period why (DOAJ-9a9)."""
    if known is None:
        return UNKNOWN
    if known.extended_at is not None and known.open:
        return Unchanged(known)
    refused = barred(known, "extend") or _too_late(known, by, policy, reason)
    owed = refused or _owed(known, "extended", by_letter=by_letter)
    if isinstance(owed, Refused):
        return owed
    said = fact("extended", by.actor, by.now, reason)
    return stepped(known, RequestExtended, [said], notes, extended_at=by.now, owed=owed)


def answer(
    known: KeptRequest | None, by: By, *, by_letter: bool, notes: Notes, policy: RequestsPolicy
) -> Decided:
    """Answer, once everything that was asked is done."""
    if known is None:
        return UNKNOWN
    if known.status == "answered":
        return Unchanged(known)
    refused = barred(known, "answer") or _undone(known, policy)
    if refused is not None:
        return refused
    owed = _owed(known, "answered", by_letter=by_letter)
    if isinstance(owed, Refused):
        return owed
    said = fact("answered", by.actor, by.now)
    return stepped(known, RequestAnswered, [said], notes, status="answered", owed=owed)


def refuse(
    known: KeptRequest | None,
    by: By,
    *,
    reason: str,
    by_letter: bool,
    notes: Notes,
    policy: RequestsPolicy,
) -> Decided:
    """Answer with a no and why, which is an answer too; not once an erasure was begun."""
    if known is None:
        return UNKNOWN
    if known.status == "refused" and known.reason == reason:
        return Unchanged(known)
    refused = barred(known, "refuse") or _unrefusable(known, policy, reason)
    owed = refused or _owed(known, "refused", by_letter=by_letter)
    if isinstance(owed, Refused):
        return owed
    facts = [
        fact("refused", by.actor, by.now, reason),
        fact("answered", by.actor, by.now),
    ]
    return stepped(known, RequestDenied, facts, notes, status="refused", reason=reason, owed=owed)


def take_back(known: KeptRequest | None, by: By) -> Decided:
    """End it because the person wants it no more; not once an erasure was begun."""
    if known is None:
        return UNKNOWN
    if known.status == "taken-back":
        return Unchanged(known)
    refused = barred(known, "take-back")
    if refused is not None:
        return refused
    if _erasing(known):
        return no("erasure-begun")
    said = fact("taken-back", by.actor, by.now)
    return stepped(known, RequestTakenBack, [said], status="taken-back", owed=())


def remind(known: KeptRequest | None, by: By, telling: Telling) -> Decided:
    """Write down that somebody was told of a limit."""
    if known is None:
        return UNKNOWN
    said = fact(telling.what, by.actor, by.now, telling.about, telling.due)
    alike = [
        one
        for one in known.facts
        if (one.what, one.about, one.due) == (said.what, said.about, said.due)
    ]
    if len(alike) >= telling.number or not known.open:
        return Unchanged(known)
    return stepped(known, RequestReminded, [said])


def noticed(known: KeptRequest | None, notice: NoticeRef) -> Decided:
    """Write down which version of the notice was in force when it was received (DOAJ-X1)."""
    if known is None:
        return UNKNOWN
    if known.notice is not None:
        return Unchanged(known)
    return stepped(known, RequestAdvanced, [], notice=notice)


def posted(known: KeptRequest | None, mail: Mail) -> Decided:
    """Write down that a mail that was owed waits to be sent; nobody else is told of that."""
    if known is None:
        return UNKNOWN
    if mail not in known.owed:
        return Unchanged(known)
    owed = tuple(one for one in known.owed if one != mail)
    changes = {"owed": owed, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())


def _undone(known: KeptRequest, policy: RequestsPolicy) -> Refused[Refusal] | None:
    left = [one.task for one in known.tasks if one.outcome is None]
    if left:
        return no("tasks-open", f"Not done: {', '.join(left)}.")
    if policy.erases(known.kinds) and not was_erased(known):
        return no("not-erased")
    return None


def _too_late(
    known: KeptRequest, by: By, policy: RequestsPolicy, reason: str
) -> Refused[Refusal] | None:
    row = policy.file.extension
    if reason not in row.reasons:
        return no("reason-unknown", "", row.clause, "/reason")
    if by.now >= deadlines.extendable_until(known, policy, by.now):
        return no("too-late-to-extend", "", row.clause)
    return None


def _unrefusable(
    known: KeptRequest, policy: RequestsPolicy, reason: str
) -> Refused[Refusal] | None:
    if policy.refusal(reason) is None:
        return no("reason-unknown", "", "DOAJ-9a1", "/reason")
    return no("erasure-begun") if _erasing(known) else None


def _owed(
    known: KeptRequest, mail: Mail, *, by_letter: bool
) -> tuple[Mail, ...] | Refused[Refusal]:
    """Return what is still to be mailed; refuse where only a letter can tell it and none did."""
    if by_letter:
        return known.owed
    if not known.mailable:
        return no("tell-by-letter", "", "DOAJ-9b")
    return (*known.owed, mail)
