"""What every outlet of this host answers from, and what an outlet is."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from services.distribution.directory import Directory
from services.distribution.gate import CREDENTIALS, Gate, Subject
from services.distribution.matching.shown import MATCHED
from services.distribution.rest.render import Ownership, RegisteredWork, registered
from services.distribution.search import SearchIndex
from services.distribution.settings import Settings
from services.distribution.store import Works
from shared.events import CredentialState
from shared.mongo import Database
from shared.mongo.client import Document
from shared.policy import Reader, Visible, Withheld
from shared.policy.harvesting import HarvestingPolicy
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.health import Health
from shared.runtime.service import Role
from shared.web import Callers, Route, caller_of


@dataclass(frozen=True, slots=True)
class Host:
    """One host: the gate it asks, the works and lists it reads, the key that signs its cursors.

    Hosts that share readers share ``key``: a cursor that one gave is good at another.
    """

    gate: Gate
    directory: Directory
    works: Works
    index: SearchIndex
    key: bytes = field(repr=False)
    database: Database
    settings: Settings
    health: Health
    harvesting: HarvestingPolicy
    clock: Clock = SYSTEM
    callers: Callers | None = None
    """Who a form's login is; routes that read no form need it not."""

    def reader(self, request: web.Request) -> Reader:
        """Return who asks, as far as references are concerned, at this moment."""
        return caller_of(request).reader(self.clock.now())

    def still(self, request: web.Request) -> bool:
        """Say whether what a caller showed at the beginning of a long answer still counts."""
        credential = caller_of(request).credential
        if credential is None:
            return True
        state = self.gate.knowledge.get(CREDENTIALS, credential)
        return isinstance(state, CredentialState) and not state.revoked

    def seen(self, document: Document, reader: Reader, *, outlet: str) -> "Seen":
        """Return what a reader sees of a work at an outlet, as the gate says at this moment.

        Asked after the document was fetched: what is decided is what is shown.
        """
        subject = Subject.of(document)
        return Seen(
            registered(document),
            self.gate.ownership(subject),
            document.get("cited_by", 0),
            self.gate.visibility(subject, reader, outlet=outlet),
            document["v"],
            tuple(document.get(MATCHED, ())),
            self.gate.policy.judged,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A work as one reader sees it: its record, its owner, its citations, whether references."""

    record: RegisteredWork
    ownership: Ownership
    cited_by: int
    visibility: Visible | Withheld
    version: int
    matched: tuple[str, ...] = ()
    """What was found for references that say no DOI; it is shown where they are."""
    judged: str = ""
    """The versions of all that it was judged under."""

    @property
    def etag(self) -> str:
        """A validator that differs whenever what is shown differs, per visibility too."""
        matched = self.matched if isinstance(self.visibility, Visible) else ()
        shown = (
            self.version,
            self.cited_by,
            self.judged,
            (self.ownership, self.visibility),
            matched,
            self.record.told,
        )
        return f'"{hashlib.blake2b(repr(shown).encode(), digest_size=12).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Outlet:
    """An interface that readers use: under which names the policy knows it, what it answers.

    ``names`` are rows of deploy/policies/references.toml; the receipts of preferences name them.
    ``roles`` run beside it in the process of the role api.
    """

    names: tuple[str, ...]
    routes: tuple[Route, ...]
    roles: Mapping[str, Role] = field(default_factory=dict)
