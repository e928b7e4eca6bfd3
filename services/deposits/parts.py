"""What the roles of one process of deposits share."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.deposits import store
from services.deposits.callbacks import Callbacks
from services.deposits.owners import Owning
from services.deposits.permissions import TOPICS, Permissions
from services.deposits.settings import Settings
from services.deposits.store.owners import open_owners
from services.deposits.store.secrets import Secrets
from services.deposits.waiting import Ends
from shared.events import SubmissionState, WorkState
from shared.kafka.knowledge import Knowledge
from shared.mongo import Aggregates, Database
from shared.mongo.deliveries import Deliveries
from shared.mongo.docket import docket_of
from shared.policy.personal import load_personal
from shared.privacy import rings
from shared.privacy.blind import BlindIndex
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyfile import load_or_create
from shared.runtime.bell import Bell
from shared.runtime.health import Health
from shared.web.outgoing import networks

SOURCE: Final = "/services/deposits"


@dataclass(frozen=True, slots=True)
class Parts:
    """One process: its settings and name, its stores, its keys, and what it knows."""

    settings: Settings
    replica: str
    health: Health
    database: Database
    submissions: store.Submissions
    works: store.Works
    ownership: store.Ownership
    owning: Owning
    conflicts: store.Conflicts
    diagnostics: store.Diagnostics
    files: store.RawFiles
    keys: store.RawKeys
    blind: BlindIndex
    knowledge: Knowledge
    fences: rings.Fences
    permissions: Permissions
    ends: Ends
    callbacks: Callbacks
    bell: Bell


def parts_of(settings: Settings, database: Database, keys: Database) -> Parts:
    """Compose them; ``keys`` is the database of key documents."""
    own_keys = FileEpochs(settings.key_file.with_suffix(""))
    personal = load_personal(settings.policies_dir / "personal.toml")
    ring, fences = rings.key_ring(settings, keys, personal)
    raw_keys = store.RawKeys(ring, own_keys)
    bell = Bell()
    health = Health()
    submissions = _submissions(settings, database, bell)
    knowledge = Knowledge(
        TOPICS,
        settings.kafka_bootstrap,
        timedelta(seconds=settings.knowledge_seconds),
        settings.topic_prefix,
        health=health,
    )
    return Parts(
        settings=settings,
        replica=settings.replica_name,
        health=health,
        database=database,
        submissions=submissions,
        works=_works(database, bell),
        ownership=_ownership(database, bell),
        owning=Owning(open_owners(database, SOURCE, wake=bell.ring)),
        conflicts=store.Conflicts(database["fingerprints"], database["conflicts"]),
        diagnostics=store.Diagnostics(database),
        files=store.RawFiles(database),
        keys=raw_keys,
        blind=BlindIndex(settings.shared_keys),
        knowledge=knowledge,
        fences=fences,
        permissions=Permissions(knowledge),
        ends=Ends(submissions),
        callbacks=Callbacks(
            submissions,
            Secrets(database),
            Deliveries(database["deliveries"], kept=timedelta(days=settings.deliveries_kept_days)),
            own_keys,
            raw_keys,
            exempt=networks(settings.callback_networks),
            overlap=timedelta(hours=settings.callback_secret_overlap_hours),
            public_url=settings.public_url,
        ),
        bell=bell,
    )


def _submissions(settings: Settings, database: Database, bell: Bell) -> store.Submissions:
    kept = Aggregates(
        database["submissions"],
        SubmissionState.model_validate_json,
        SOURCE,
        fields=store.shown,
        wake=bell.ring,
        docket=docket_of(database["submissions"]),
    )
    return store.Submissions(kept, load_or_create(settings.key_file))


def _works(database: Database, bell: Bell) -> store.Works:
    return store.Works(
        Aggregates(
            database["works"],
            WorkState.model_validate_json,
            SOURCE,
            wake=bell.ring,
            docket=docket_of(database["works"]),
        )
    )


def _ownership(database: Database, bell: Bell) -> store.Ownership:
    kept = Aggregates(
        database["ownership"], store.owned_of, SOURCE, fields=store.shown_of, wake=bell.ring
    )
    return store.Ownership(kept, database["identifiers"])
