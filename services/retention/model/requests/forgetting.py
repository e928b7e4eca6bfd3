"""What becomes of a request when somebody in it is erased: its dates stay, nobody is in it."""

from collections.abc import Callable

from services.retention.model.requests.state import UNKNOWN, Decided, KeptRequest
from shared.events.decisions import Accepted, Unchanged
from shared.events.personal import RetentionRecordGone, Sealed, record_key


def forget(known: KeptRequest | None, gone: Callable[[Sealed], bool]) -> Decided:
    """Take the sealed records out that are ``gone``, and tell of each that it is.

    Where who asked is among them, so are the blind indexes that they were found by: nobody finds
    the request by an address any more, and nothing is mailed. Its kinds, dates and tasks stay, to
    show that it was answered. What was said by others in the same request stays theirs.
    """
    if known is None:
        return UNKNOWN
    away = {name: sealed for name, sealed in known.records.items() if gone(sealed)}
    if not away:
        return Unchanged(known)
    version = known.version + 1
    changes: dict[str, object] = {
        "records": {name: one for name, one in known.records.items() if name not in away},
        "version": version,
    }
    whose = {sealed.person for sealed in away.values()}
    if known.person in whose:
        changes |= {"subjects": (), "fingerprint": ""}
    if "representative" in away or ("requester" in away and not known.represented):
        changes |= {"mailable": False, "owed": ()}
    told = tuple(
        RetentionRecordGone(record_key=record_key(sealed), version=version)
        for sealed in away.values()
    )
    return Accepted(known.model_copy(update=changes), told)
