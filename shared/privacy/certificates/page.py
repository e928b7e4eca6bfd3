"""A certificate as a page to be read: one file, no script, nothing fetched, everything escaped.

The page carries the certificate itself, for only that is signed.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Final

from shared.privacy.certificates import Certificate, as_json
from shared.privacy.certificates.statement import Statement, seen_of
from shared.privacy.checkpoints import Checkpoint
from shared.privacy.notes import Note

LEVELS: Final = (
    ("fenced", "Fenced", "nothing may be encrypted or read any more"),
    ("unreadable", "Unreadable", "the keys are gone from the live system"),
    ("irrecoverable", "Irrecoverable", "what wrapped the keys is gone, so no backup revives them"),
    ("gone", "Physically gone", "the encrypted records left the log, on the replicas named below"),
)
WEAKER: Final = (
    "Weaker than it could be: keys that wrap keys lay in files. They were overwritten and unlinked;"
    " nobody can show that no copy of those files was made. Irrecoverable holds where the volume is"
    " in no backup."
)
HEARD: Final = {
    "listed": "listed; nobody says that it was told",
    "told": "told, as staff attest; it has not confirmed",
    "attested": "has confirmed, as staff attest",
    "completed": "has confirmed",
    "awaited": "listed on the day under \u201cTold\u201d; nobody says that it was told",
}
ATTESTED: Final = "A key service says that it destroyed what wrapped the keys."

_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Certificate of erasure</title>
<style>
body { font: 1rem/1.5 sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem }
td { border-bottom: 1px solid #999 }
code, pre { font-family: monospace; overflow-wrap: anywhere; white-space: pre-wrap }
.weaker { border-left: .3rem solid #a60; padding-left: .6rem }
</style></head><body>
"""


def as_page(certificate: Certificate) -> str:
    """Return the page; it says no more than the certificate does."""
    said = certificate.statement
    return _HEAD + "\n".join([*_body(certificate, said), "</body></html>\n"])


def _body(certificate: Certificate, said: Statement) -> Iterator[str]:
    why = "the request of a person" if said.rule is None else f"a clock of rule {said.rule}"
    yield "<h1>Certificate of erasure</h1>"
    yield _table(
        ("", ""),
        [
            ("Certificate", said.certificate),
            ("Request", said.request),
            ("Because of", why),
            ("Person", f"{said.subject} (a salted hash; the salt is with the person)"),
            ("Issued", _at(certificate.proof.created)),
        ],
    )
    yield "<h2>How far it went</h2>"
    yield _table(
        ("Level", "Means", "Since"),
        [(name, means, _at(getattr(said.levels, field))) for field, name, means in LEVELS],
    )
    yield _guarantees(said)
    yield from _services(said)
    yield from _others(said)
    yield from _proof(certificate)


def _guarantees(said: Statement) -> str:
    held = said.guarantees
    bound = escape(f"A backup of the key store is of use for {held.backup_bound} at most.")
    if held.key_provider == "file":
        return f'<p class="weaker">{escape(WEAKER)} {bound}</p>'
    return f"<p>{escape(ATTESTED)} {bound}</p>"


def _services(said: Statement) -> Iterator[str]:
    yield "<h2>What each service says</h2>"
    yield _table(
        ("Service", "Result", "Found", "Erased", "Kept", "Left", "Looked at", "Evidence"),
        [
            (
                one.service,
                one.result,
                *(str(count) for count in (one.matched, one.erased, one.kept, one.remaining)),
                _at(one.looked_at),
                one.digest,
            )
            for one in said.evidence
        ],
    )
    if said.exemptions:
        yield "<h2>What is kept, and why</h2>"
        yield _table(
            ("Class", "Reason", "Rule", "Looked at again"),
            [(one.cls, one.reason, one.rule, _at(one.review_at)) for one in said.exemptions],
        )


def _others(said: Statement) -> Iterator[str]:
    if said.processors:
        yield "<h2>Who else had something</h2>"
        yield _table(
            ("Processor", "Listed", "Told", "Confirmed", "State"),
            [
                (
                    one.processor,
                    *(
                        _at(time) if time else ""
                        for time in (one.listed_at, one.told_at, one.completed_at)
                    ),
                    HEARD[one.state],
                )
                for one in said.processors
            ],
        )
    yield "<h2>What was looked through</h2>"
    scan = said.scan
    yield (
        f"<p>The log: {scan.records} records, {scan.octets} bytes, on {_at(scan.at)}: "
        f"{scan.residual} found that should be gone, and {scan.found} of {scan.planted} planted "
        "controls.</p>"
    )
    if said.compaction:
        yield _table(
            ("Topic", "Partition", "Broker", "Tombstone", "Clean to", "Shown by", "At"),
            [
                (
                    one.topic,
                    *(str(count) for count in (one.partition, one.broker)),
                    *(str(offset) for offset in (one.tombstone, one.cleaned)),
                    one.how,
                    _at(one.at),
                )
                for one in said.compaction
            ],
        )
        yield from _replicas(said)
    yield "<h2>Rules in force</h2>"
    yield _table(
        ("Policy", "Version", "SHA-256"),
        [(one.policy, one.version, one.digest) for one in said.policies],
    )


def _replicas(said: Statement) -> Iterator[str]:
    for one in seen_of(said.compaction):
        where = f"{one.topic}, partition {one.partition}"
        if one.replicas is None:
            text = f"{where}: {one.seen} replicas seen; how many there are was not written down."
        else:
            text = f"{where}: {one.seen} of {one.replicas} replicas seen."
        weaker = one.replicas is None or one.seen < one.replicas
        if weaker:
            text += " Of others nothing is shown."
        yield f'<p class="weaker">{escape(text)}</p>' if weaker else f"<p>{escape(text)}</p>"


def _proof(certificate: Certificate) -> Iterator[str]:
    note = Note.parse(certificate.tree.checkpoint)
    checkpoint = Checkpoint.parse(note.text)
    yield "<h2>Proof</h2>"
    yield _table(
        ("", ""),
        [
            ("Log", checkpoint.origin),
            ("Place", f"record {certificate.tree.index} of {checkpoint.size}"),
            ("Root", checkpoint.root.hex()),
            ("Signature lines of", ", ".join(dict.fromkeys(line.name for line in note.lines))),
            ("Signed under", certificate.proof.method),
        ],
    )
    yield (
        "<p>This page is for reading and is not signed. What is signed follows. Save it as "
        "certificate.json, get the public keys of the log from somewhere else than this page, and "
        "run <code>python3 verify_certificate.py certificate.json keys.txt</code>.</p>"
    )
    yield f"<pre>{escape(as_json(certificate).decode())}</pre>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; every cell is escaped here, and nowhere else."""
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    head = f"<thead><tr>{top}</tr></thead>" if any(heads) else ""
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows
    )
    return f"<table>{head}<tbody>\n{body}</tbody></table>"


def _at(instant: datetime) -> str:
    return instant.isoformat(sep=" ", timespec="seconds")
