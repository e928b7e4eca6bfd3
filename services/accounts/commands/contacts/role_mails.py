"""Mail to contacts: to the one role that its purpose belongs to, each asked of the gate (CRP-4d-g).

Text and addresses are in clear in memory only. A request whose process died is carried out by
asking again: mails that wait or went are not there twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.contacts.seats import ways_of
from services.accounts.errors import Refusal
from services.accounts.mails import contacts as mails
from services.accounts.model import role_mails as model
from services.accounts.model.contacts import ContactDetails, KeptSeat
from services.accounts.model.role_mails import ALLOWED, NO_CONTACT, KeptRoleMail
from shared.events.decisions import Refused
from shared.policy.contacts import ContactRoleRow
from shared.privacy.vault import Opened

AT_ONCE = 100  # contacts opened together


@dataclass(frozen=True, slots=True)
class RoleMail:
    """What is to be mailed, for which purpose; to all organisations, or to those that are named."""

    request: str
    purpose: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    organisations: tuple[int, ...] | None = None

    @property
    def hash(self) -> str:
        """What tells it from another mail under the same id."""
        organisations = sorted(set(self.organisations)) if self.organisations is not None else None
        said = [self.purpose, self.subject, self.text, organisations]
        return hashlib.sha256(orjson.dumps(said)).hexdigest()


async def send(
    contacting: Contacting, mail: RoleMail, *, actor: str
) -> KeptRoleMail | Refused[Refusal]:
    """Let a mail wait for each contact of the role that may get it; the same request, once."""
    row = contacting.policy.reached_by(mail.purpose)
    if row is None:
        refusal = Refusal("purpose-reaches-no-role", rule="CRP-4c", places=("/purpose",))
        return Refused(refusal)
    new = KeptRoleMail(
        request=mail.request,
        purpose=mail.purpose,
        role=row.id,
        text=mail.hash,
        actor=actor,
        at=contacting.now(),
        version=1,
    )
    asked = await contacting.store.role_mails.update(
        mail.request, lambda known: model.ask(known, new)
    )
    if isinstance(asked, Refused) or asked.state.done:
        return asked if isinstance(asked, Refused) else asked.state
    outcomes = await _to_each(contacting, mail, row)
    done = await contacting.store.role_mails.update(
        mail.request, lambda known: model.finish(known, outcomes)
    )
    return done if isinstance(done, Refused) else done.state


async def _to_each(contacting: Contacting, mail: RoleMail, row: ContactRoleRow) -> list[str]:
    """Mail every contact of the role; return what came of each."""
    seats = await contacting.store.mailed(row.id, mail.organisations)
    found = {one.organisation for one in seats}
    outcomes = [NO_CONTACT for one in set(mail.organisations or ()) - found]
    for start in range(0, len(seats), AT_ONCE):
        some = seats[start : start + AT_ONCE]
        opened = await contacting.details([one.details for one in some if one.details])
        for seat, one in zip(some, opened, strict=True):
            outcomes.append(await _to_one(contacting, mail, row, seat, one))
    return outcomes


async def _to_one(
    contacting: Contacting,
    mail: RoleMail,
    row: ContactRoleRow,
    seat: KeptSeat,
    opened: Opened[ContactDetails],
) -> str:
    subjects: Sequence[str] = seat.subjects
    details = opened.data
    if details is not None:
        subjects = contacting.people.index.all(details.email)
    decision = await contacting.gate.before([seat]).ask(
        contacting.policy.mail(row), subjects, actor=f"role-mail:{mail.request}"
    )
    if not decision.allowed:
        return decision.why or decision.outcome
    if details is None:
        return f"details-{opened.withheld}"
    if seat.contact is None:
        return NO_CONTACT
    message = mails.to_role(
        f"role-mail.{mail.request}.{seat.contact}",
        details.email,
        share=seat.contact,
        purpose=row.purpose,
        subject=mail.subject,
        text=mail.text,
        ways=ways_of(contacting, seat),
    )
    await contacting.people.mails.post(message, decision)
    return ALLOWED
