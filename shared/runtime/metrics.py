"""Every metric of Colophon, declared once; the names stand in docs/operations.md.

Labels hold topics, groups, services and reasons only, never an identifier of a record or person.
"""

from prometheus_client import Counter, Gauge, Histogram

# Consumer loop: shared kafka consume
RECORDS_APPLIED = Counter("colophon_records_applied_total", "Records applied.", ["group", "topic"])
RECORDS_DEAD = Counter(
    "colophon_records_dead_total", "Records parked on the dead-letter topic.", ["group", "topic"]
)
RECORDS_UNKNOWN = Counter(
    "colophon_records_unknown_total", "Records of a type this build does not know.", ["group"]
)
APPLY_SECONDS = Histogram("colophon_apply_seconds", "Seconds to apply a batch.", ["group"])
CONSUMER_LAG = Gauge(
    "colophon_consumer_lag_records", "Records behind the end of the log.", ["group", "topic"]
)
LAG_SECONDS = Gauge(
    "colophon_consumer_lag_seconds", "Age of the newest record applied when applied.", ["group"]
)
EVENT_SECONDS = Histogram(
    "colophon_event_seconds",
    "Seconds from an event's decision until it was applied; of the search index under 'search'.",
    ["group"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
# Relay: shared kafka relay
EVENTS_RELAYED = Counter("colophon_events_relayed_total", "Events published.", ["service", "topic"])
OUTBOX_SECONDS = Histogram(
    "colophon_relay_batch_seconds",
    "Seconds from reading an outbox page to its removal.",
    ["service"],
)
RELAY_ACTIVE = Gauge("colophon_relay_active", "1 while this process holds the relay.", ["service"])
# Gate knowledge: shared kafka knowledge
KNOWLEDGE_AGE = Gauge(
    "colophon_knowledge_age_seconds", "Age of the oldest watermark of a gate topic.", ["topic"]
)
GATE_UNKNOWN = Gauge(
    "colophon_gate_unreadable_keys", "Keys of a gate topic that deny until mended.", ["topic"]
)
# Projections: shared mongo guarded
WRITES_STALE = Counter(
    "colophon_writes_stale_total", "Guarded writes that were already newer.", ["collection"]
)
# Consents as readers know them: shared kafka consents
WITHDRAWAL_SECONDS = Histogram(
    "colophon_withdrawal_seconds",
    "Seconds from a withdrawal of consent until this service denies by it.",
    ["service"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
)
WITHDRAWAL_QUANTILES = Gauge(
    "colophon_withdrawal_applied_seconds",
    "Seconds from a withdrawal until a service reported to deny by it: 0.5, 0.99 and 1 of the last "
    "hour's reports, as consent collects them.",
    ["service", "quantile"],
)
# Deliveries: shared mongo delivering
DELIVERIES = Counter(
    "colophon_deliveries_total",
    "Tries to deliver something outside: sent, failed (tried again), gave-up.",
    ["kind", "outcome"],
)
DELIVERIES_WAITING = Gauge(
    "colophon_deliveries_waiting", "Deliveries not delivered yet, 10,000 at most.", []
)
# Mail: shared mail
MAIL_TRANSPORT = Gauge(
    "colophon_mail_transport", "1 where SMTP_URL is set; 0: mails wait in the queue.", []
)
# Search projection: services distribution
SEARCH_LAG = Gauge("colophon_search_lag_records", "Records the search index is behind.", [])
TRANSFERS_DUE = Gauge(
    "colophon_search_transfers_due", "Titles and works that lists show under an earlier owner.", []
)
# Topic products: services distribution products
PRODUCTS_PUBLISHED = Counter(
    "colophon_products_published_total",
    "Works published on the topic products: new, or again because of a preference or a transfer.",
    ["why"],
)
PRODUCTS_LEFT = Gauge("colophon_products_left", "Works that this replica has to publish again.", [])
# Snapshots and feeds: services distribution
SNAPSHOT_LEFT = Gauge(
    "colophon_snapshot_works_left", "Works that the snapshot being built lacks.", []
)
SNAPSHOT_UNSOUND = Gauge(
    "colophon_snapshot_members_withheld",
    "Members of ready snapshots without references because of a transfer or a redeposit.",
)
SNAPSHOT_BYTES = Gauge("colophon_snapshot_bytes", "What snapshots take of the disk.", [])
STREAMS = Gauge("colophon_change_streams", "Readers that follow the stream of changes.", [])
REFUSED = Counter(
    "colophon_requests_over_limit_total", "Requests refused as too many, by pool.", ["pool"]
)
# Requests of people: services retention
REQUESTS_UNTOLD = Gauge(
    "colophon_requests_untold",
    "Reminders and escalations of requests that are due and whose role has no mailbox.",
    ["role"],
)
# Clocks: services retention
CLOCKS_SETTLED = Counter(
    "colophon_clocks_settled_total", "Clocks that were found due and acted on, by rule.", ["rule"]
)
CLOCKS_LATE = Gauge(
    "colophon_clocks_late_seconds", "How long the last clock that was acted on had been due.", []
)
# HTTP: shared web site
HTTP_SECONDS = Histogram(
    "colophon_http_request_seconds", "Seconds to answer.", ["service", "route", "status"]
)
# Keys of personal data: services retention
KEYS_REWRAPPED = Counter(
    "colophon_keys_rewrapped_total", "Data keys wrapped anew under a later epoch."
)
