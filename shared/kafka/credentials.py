"""A process's own copy of the credentials, as shared.web asks for it."""

from dataclasses import dataclass

from shared.events import CredentialState
from shared.kafka.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class KnownCredentials:
    """Credentials as the gate topic ``topic`` says."""

    knowledge: Knowledge
    topic: str = "accounts.credentials.v1"

    def lookup(self, credential: str) -> CredentialState | None:
        """Return the newest state of a credential, None where unknown or unreadable."""
        match self.knowledge.get(self.topic, credential):
            case CredentialState() as state:
                return state
        return None

    def fresh(self) -> bool:
        """Say whether the copy is young enough to decide by."""
        return self.knowledge.fresh(self.topic)
