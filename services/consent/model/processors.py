"""The register of processors, published as the policy's rows have it."""

from shared.events import Event
from shared.events.consent import (
    ProcessorChanged,
    ProcessorRegistered,
    ProcessorRetired,
    ProcessorState,
)
from shared.events.decisions import Accepted, Unchanged, saying
from shared.policy.registers import ProcessorRow


def register(
    known: ProcessorState | None, row: ProcessorRow
) -> Accepted[ProcessorState] | Unchanged[ProcessorState]:
    """Enter a row; the same again is no change, and one that is no longer active is retired."""
    state = ProcessorState(
        processor=row.id,
        name=row.name,
        kind=row.kind,
        purposes=tuple(row.purposes),
        fields=tuple(row.fields),
        transfer=row.transfer,
        policy_link=row.policy_link,
        open_source=row.open_source,
        trust=row.trust,
        active=row.active,
        version=known.version + 1 if known else 1,
    )
    if known is None:
        return Accepted(state, (saying(ProcessorRegistered, state),))
    if state.model_copy(update={"version": known.version}) == known:
        return Unchanged(known)
    kind: type[Event] = ProcessorRetired if known.active and not row.active else ProcessorChanged
    return Accepted(state, (saying(kind, state),))


def strike(known: ProcessorState) -> Accepted[ProcessorState] | Unchanged[ProcessorState]:
    """Retire one that has no row any more; its history stays."""
    if not known.active:
        return Unchanged(known)
    state = known.model_copy(update={"active": False, "version": known.version + 1})
    return Accepted(state, (saying(ProcessorRetired, state),))
