"""Named places where a test may kill or freeze the process; no-ops otherwise.

``COLOPHON_CRASH=<name>`` kills the process (SIGKILL, so no handler runs) the first time it passes
``name``; ``<name>:<n>`` the n-th time; ``<name>:<n>:stop`` freezes it (SIGSTOP) there instead.
"""

import os
import signal
from typing import Final

NAMES: Final[dict[str, str]] = {
    "deposits.chunks-written": "chunks written, no submission document",
    "deposits.submission-inserted": "submission inserted, caller not answered",
    "deposits.refusals-bound": "refusals bound to their submission, no diagnostic",
    "deposits.title-reserved": "identifiers reserved for a title that is not written",
    "deposits.work-written": "work written, diagnostic not",
    "deposits.diagnostics-written": "diagnostics written, submission not completed",
    "deposits.journal-reserved": "journals on the list of whoever is to own them, not theirs",
    "deposits.journal-given": "journals given, on the list of the former owner too",
    "deposits.callback-enqueued": "callback enqueued, submission still waits to be called back",
    "deliveries.sent": "delivery sent, not written down as sent",
    "mail.taken": "mail taken by a server, not emptied",
    "consent.page-posted": "page of an issue posted, not counted",
    "consent.consent-erased": "consent erased, its proof not put elsewhere",
    "accounts.preference-written": "preference written, not relayed",
    "accounts.address-reserved": "address reserved, its person not written",
    "accounts.person-written": "person written, address reserved and not confirmed",
    "accounts.replacement-told": "replacement written, the offer not as accepted",
    "accounts.volunteer-invited": "account offered to a volunteer, not written down",
    "accounts.account-closed": "account closed, sign-ins, keys and addresses not",
    "accounts.sign-ins-ended": "account closed, sign-ins and keys ended, addresses not free",
    "accounts.membership-active": "membership active, its organisation not entered",
    "accounts.contact-written": "contact written, not asked to agree",
    "retention.epoch-made": "key epoch made, no key wrapped under it",
    "retention.epoch-aside": "key epoch put aside, not looked for what is wrapped under it",
    "retention.epoch-ended": "file of a key epoch removed, not written down as gone",
    "tree.appended": "records in the tree, no checkpoint over them",
    "tree.signed": "checkpoint signed, not told to be the newest",
    "tree.key-changed": "another key signs checkpoints, its file not in place",
    "saga.look-ordered": "services told to look, erasure not so",
    "saga.planned": "every service looked, erasure not planned",
    "saga.collected": "who else must be told is known, not written down",
    "saga.key-fenced": "a key fenced, its erasure not so",
    "saga.fenced": "every key fenced, erasure not so",
    "saga.destroying": "fences effective, no way back not written down",
    "saga.entered": "erasure in the ledger, nothing destroyed",
    "saga.key-destroyed": "a key destroyed, its erasure not so",
    "saga.destroyed": "every key destroyed, erasure not so",
    "saga.erase-ordered": "services told to erase, erasure not so",
    "saga.evidenced": "evidence of every service there, erasure not so",
    "saga.compacted": "receipts of the replicas there, erasure not so",
    "saga.irrecoverable": "epochs gone, erasure not so",
    "saga.scanned": "nothing found by the scan, erasure not so",
    "saga.in-tree": "statement in the tree, not signed",
    "saga.certified": "certificate signed, not kept",
    "saga.closed": "erasure certified and its own key gone, not closed",
    "saga.released": "fences taken back, erasure not so",
    "packages.written": "package sealed, not ready",
    "packages.destroyed": "key of a package destroyed, what it opened not deleted",
    "erasing.erased": "erased what an order names, not looked again",
    "erasing.evidence": "evidence written, not relayed",
    "relay.sent": "outbox published, not taken out",
    "relay.before-commit": "records sent, transaction not committed",
    "consume.applied": "batch written, offset not committed",
    "consume.committed": "offset committed, next batch fetched",
    "consume.dead-letter-sent": "dead letter sent, offset not committed",
    "products.sent": "works published on the topic products, not in the ledger",
    "stream.read": "batch of the stream in hand, nothing written",
    "stream.acked": "batch of the stream written and acknowledged, offset not committed",
    "clocks.settled": "due clock settled, nobody told",
    "clocks.told": "erasure of a due clock begun, the clock not settled as told",
    "holds.placed": "hold placed, nothing under it yet",
    "holds.joined": "record written down under a hold, its keys not restricted",
    "holds.restricted": "keys restricted by a hold, its record pending",
    "holds.released": "hold released, its keys not let go of",
    "snapshots.written": "member of a snapshot written, not told of",
    "distribution.matches-written": "matches written, their counts not marked, nobody told",
    "search.before-commit": "search batch added, index not committed",
    "search.committed": "index and its offsets committed, not reloaded",
    "rebuild.begun": "generation named, nothing filled",
    "rebuild.filled": "generation filled, not counted and compared",
    "rebuild.checked": "generation counted and compared, not about to take over",
    "rebuild.resting": "counts of the live generation rest, not changed over",
    "rebuild.switched": "changed over, whoever did it not told",
    "search.rebuilt": "lists rebuilt and compared, not taken over",
    "search.taken-over": "lists to be taken over written down, not taken over",
}


def _armed(setting: str) -> tuple[str, int, int]:
    name, _, rest = setting.partition(":")
    count, _, action = rest.partition(":")
    if name and name not in NAMES:
        raise ValueError(f"COLOPHON_CRASH names {name!r}; known: {', '.join(NAMES)}")
    return name, int(count or 1), signal.SIGSTOP if action == "stop" else signal.SIGKILL


_name, _left, _signal = _armed(os.environ.get("COLOPHON_CRASH", ""))


def crashpoint(name: str) -> None:
    """Die or freeze here if this place is armed; otherwise nothing."""
    global _left  # noqa: PLW0603  (one counter a process, armed by its environment)
    if name != _name or _left == 0:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), _signal)
