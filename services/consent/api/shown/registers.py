"""What is shown of registers, and of recorded answers of the gate."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.events.consent import ProcessorState
from shared.policy.decisions import KeptDecision
from shared.policy.registers import AnalyticsFile, CookiesFile
from shared.web import Answer


class Processors(Answer):
    """The register of processors."""

    processors: tuple[ProcessorState, ...]


class Cookie(Answer):
    """A cookie that an answer may set."""

    name: str
    says: str
    clause: str
    lifetime: str
    identifier: bool
    required: bool


class Cookies(Answer):
    """Every cookie, and what analytics count."""

    cookies: tuple[Cookie, ...]
    analytics: tuple[str, ...]

    @classmethod
    def of(cls, file: CookiesFile, counted: AnalyticsFile) -> "Cookies":
        """Show the register."""
        return cls(
            cookies=tuple(Cookie.like(row) for row in file.cookies),
            analytics=tuple(row.id for row in counted.dimensions),
        )


class Use(Answer):
    """A recorded answer of the gate."""

    use: str
    at: datetime
    act: str
    purpose: str
    category: str
    recipient: str
    outcome: Literal["allowed", "refused"]
    clause: str
    why: str | None
    hard: bool = Field(description="No role and no consent lifts it.")
    policy: str

    @classmethod
    def of(cls, state: KeptDecision) -> "Use":
        """Show an answer; not whom it was about."""
        asked = state.use
        return cls(
            use=state.decision,
            at=state.at,
            act=asked.act,
            purpose=asked.consent_purpose,
            category=asked.category,
            recipient=f"{asked.recipient.kind}:{asked.recipient.name}".rstrip(":"),
            outcome=state.outcome,
            clause=state.clause,
            why=state.why,
            hard=state.hard,
            policy=state.policy,
        )
