"""A process's own copy of people's credentials, as shared.web.people asks for it."""

from dataclasses import dataclass

from shared.events.people import PersonAccessState, PersonKeyState, SigningKeyState
from shared.kafka.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """People's credentials as the gate topic ``topic`` says."""

    knowledge: Knowledge
    topic: str = "accounts.credentials.v1"

    def access(self, person: str) -> PersonAccessState | None:
        """Return which of a person's tokens count no more; None where all do."""
        match self.knowledge.get(self.topic, f"person:{person}"):
            case PersonAccessState() as state:
                return state
        return None

    def denied(self, person: str) -> bool:
        """Whether the newest record of a person's ended sign-ins cannot be read."""
        return self.knowledge.denied(self.topic, f"person:{person}")

    def key(self, credential: str) -> PersonKeyState | None:
        """Return the newest state of an API key, by its hash."""
        match self.knowledge.get(self.topic, credential):
            case PersonKeyState() as state:
                return state
        return None

    def public(self, kid: str) -> str | None:
        """Return a published signing key by its id."""
        match self.knowledge.get(self.topic, f"signing:{kid}"):
            case SigningKeyState() as state:
                return state.public
        return None
