"""After the evidence: ciphertext gone from logs, epochs gone, and a search that finds nothing."""

from services.retention.erasure import orders
from services.retention.erasure.late import ask_again, may_ask
from services.retention.erasure.saga import AT_ONCE, Go, Saga, Stay, Taken, waiting
from services.retention.erasure.scanning import Residue, VoidScan
from services.retention.model.answers import tombstones
from services.retention.model.erasure_plans import late_round
from services.retention.model.erasure_states import Ended, KeptErasure
from shared.runtime.log import get_log

BETWEEN_LOOKS = 1.0  # seconds: compaction and rotation tell nobody
BETWEEN_SCANS = 10.0  # seconds: a scan reads everything

log = get_log(__name__)


async def compact(saga: Saga, erasure: KeptErasure) -> Taken:
    """Wait until every replica that can be seen has cleaned beyond the tombstones."""
    physical = saga.rooms.physical
    if physical is None:
        return waiting("rooms", "physical", now=saga.now())
    if not erasure.ends:
        ends = await _ends(saga, erasure)
        if ends:
            return Stay(seconds=AT_ONCE, changes={"ends": ends})
    receipts = list(erasure.receipts)
    shown = {(one.topic, one.partition) for one in receipts}
    for one in erasure.ends:
        if (one.topic, one.partition) not in shown:
            receipts += await physical.cleaned(one.topic, one.partition, one.before)
    shown = {(one.topic, one.partition) for one in receipts}
    left = [one for one in erasure.ends if (one.topic, one.partition) not in shown]
    if not left:
        return Go("compact", {"receipts": tuple(receipts)})
    who = [f"{one.topic}-{one.partition}" for one in left]
    stay = waiting("compaction", *who, seconds=BETWEEN_LOOKS, now=saga.now())
    more = len(receipts) > len(erasure.receipts)
    return Stay(stay.waits, stay.seconds, {"receipts": tuple(receipts)} if more else {})


async def outlive(saga: Saga, erasure: KeptErasure) -> Taken:
    """Wait until the epochs that wrapped the keys are gone; where none went there is none."""
    physical = saga.rooms.physical
    if physical is None:
        return waiting("rooms", "physical", now=saga.now())
    since = erasure.unreadable_at or erasure.times["destroyed"]
    at = await physical.epochs_gone(since) if erasure.keys else saga.now()
    if at is None:
        return waiting("epochs", seconds=BETWEEN_LOOKS, now=saga.now())
    return Go("outlive", {"irrecoverable_at": at})


async def scan(saga: Saga, erasure: KeptErasure) -> Taken:
    """Search the log for what should be gone; what came late is erased by whoever has it, again."""
    physical = saga.rooms.physical
    if physical is None:
        return waiting("rooms", "physical", now=saga.now())
    try:
        found = await physical.scanned(erasure.keys)
    except Residue:
        return await _left(saga, erasure)
    except VoidScan:
        log.warning("scan missed its controls", erasure=erasure.erasure)
        return waiting("scan", seconds=BETWEEN_SCANS, now=saga.now())
    return Go("scan", {"scan": found})


async def _left(saga: Saga, erasure: KeptErasure) -> Taken:
    """Scan again for a while, for a broker removes files late; then have everybody erase again."""
    now, until = saga.now(), await may_ask(saga, erasure)
    left = {"left_at": erasure.left_at or now}
    if now >= until:
        order = late_round(erasure, "erase", erasure.services)
        return ask_again(erasure, order.model_copy(update={"by_keys": True}), **left)
    log.warning("scan is not clean", erasure=erasure.erasure)
    stay = waiting("scan", until=until, now=now)
    # Not to be written down at each scan.
    return Stay(stay.waits, BETWEEN_SCANS, {} if erasure.left_at else left)


async def _ends(saga: Saga, erasure: KeptErasure) -> tuple[Ended, ...]:
    """Return how far each log went when all tombstones were in it."""
    physical = saga.rooms.physical
    if physical is None:
        return ()
    found: dict[tuple[str, int], Ended] = {}
    for one in erasure.rounds:
        if one.kind != "erase":
            continue
        answers, _missing = await orders.asked(saga, erasure, one)
        for told in tombstones(answers.values()):
            place = told.topic, told.partition
            before = await physical.ends(told.topic, told.partition)
            found[place] = Ended(topic=told.topic, partition=told.partition, before=before)
    return tuple(found[place] for place in sorted(found))
