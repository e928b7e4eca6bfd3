"""Every way to get at references from outside, one row each, and who may see them there.

A probe asks as somebody about a work and its owner prefix and returns all it was given: head and
body, unpacked. Who may see what is written down by hand, from the policy text and not from the
policy file, so that a wrong row in the file fails too. A new outlet is new rows.
"""

import asyncio
import contextlib
import gzip
import io
import tarfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from tests.leaking import CALLERS, CITED, SECRET, Registry, planted

OK: Final = 200
PART: Final = 206
QUIET_SECONDS: Final = 0.3  # after which a stream has nothing more to tell
TOLD_SECONDS: Final = 10.0  # within which it tells of a work at all
ALL: Final = frozenset(CALLERS)
Who = Mapping[str | None, frozenset[str]]

AS_READ: Final[Who] = {
    "open": ALL,
    "limited": frozenset({"plus", "owner"}),
    None: frozenset({"plus", "owner"}),  # nobody chose: limited since 2018
    "closed": frozenset({"owner"}),
}
"""Who reads a record and gets its references (CRR-5 to CRR-8)."""

HARVESTED: Final[Who] = {
    "open": frozenset({"plus", "owner"}),
    "limited": frozenset({"plus", "owner"}),
    None: frozenset({"plus", "owner"}),
    "closed": frozenset({"owner"}),
}
"""Records are harvested under an agreement; a member harvests its own (CRR-15)."""
OWNERS: Final[Who] = dict.fromkeys(AS_READ, frozenset({"owner"}))
"""What is returned to who deposited it, and to nobody else."""
STRANGERS: Final = frozenset({"anonymous", "expired plus", "operator", "other member"})

SUBSCRIBED: Final[Who] = {
    "open": frozenset({"plus"}),
    "limited": frozenset({"plus"}),
    None: frozenset({"plus"}),
    "closed": frozenset(),
}
"""Whole files: one serves all subscribers, so that nobody is the owner there (CRR-6)."""

NOBODY: Final[Who] = dict.fromkeys(AS_READ, frozenset())
"""Where references never are: counts, searches, citations, errors."""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody was given: status, and everything that came, head and body, unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def everything(self) -> bytes:
        head = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return head.encode() + b"\n\n" + self.body


Fetch = Callable[[Registry, str, str, str], Awaitable[Given]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One way to ask: of which outlet, how, and who may see references in the answer.

    ``path`` may name ``{doi}``, ``{DOI}`` (its slash encoded) and ``{prefix}``. ``fetch`` takes the
    place of a plain request where one does not do. ``states`` of a REST record: the answer states
    the number of references, and that they are withheld where they are.
    """

    outlet: str
    path: str
    who: Who = field(default_factory=lambda: AS_READ)
    headers: Mapping[str, str] = field(default_factory=dict)
    states: bool = False
    fetch: Fetch | None = None
    echoes: bytes = b""  # of the request itself, which an answer may repeat
    others: bool = False  # it tells of works of other owners too
    mark: str = ""  # what gives a work's references away here, where it is not their own words
    refused: frozenset[str] = frozenset()  # who is not answered at all

    def filled(self, doi: str, prefix: str) -> str:
        """Return the request target for a work and its owner prefix."""
        return self.path.format(doi=doi, DOI=doi.replace("/", "%2F"), prefix=prefix)

    async def ask(
        self, registry: Registry, caller: str, doi: str, prefix: str, **headers: str
    ) -> Given:
        """Ask as somebody."""
        target = self.filled(doi, prefix)
        if self.fetch is not None:
            return await self.fetch(registry, caller, target, doi)
        said = await registry.ask(caller, target, **{**self.headers, **headers})
        return Given(said[0], said[2], said[1])

    def shows(self, given: Given, *marks: str) -> bool:
        """Whether a planted string stands anywhere in what was given, beside the question.

        In any case of letters, for some formats write DOIs in small ones.
        """
        everything = given.everything
        if self.echoes:
            everything = everything.replace(self.echoes, b"")
        everything = everything.lower()
        return any(one.lower().encode() in everything for one in marks or (SECRET,))

    def marks(self, doi: str) -> tuple[str, ...]:
        """Return what gives away the references of one work."""
        return (self.mark.format(doi=doi),) if self.mark else planted(doi)

    def planted(self, doi: str) -> tuple[str, ...]:
        """Return what is looked for where a work is asked about: in a list of its owner's, any."""
        return self.marks(doi) if self.others or self.mark else (SECRET,)

    def told(self, given: Given) -> bool:
        """Whether an answer says that references are withheld."""
        return b'"references-withheld"' in given.body


# -- what a plain request does not fetch ---------------------------------------------------------


async def streamed(registry: Registry, caller: str, target: str, doi: str) -> Given:
    """Follow a stream of events until it has told of a work, and everything that came with it."""
    url = registry.running.url + target
    told = f'"DOI":"{doi}"'.encode()
    async with registry.session.get(url, headers=registry.headers[caller]) as answer:
        body = b""
        if answer.status != OK:
            return Given(answer.status, answer.headers, await answer.read())
        while True:
            waits = QUIET_SECONDS if told in body else TOLD_SECONDS
            try:
                async with asyncio.timeout(waits):
                    body += await answer.content.readany()
            except TimeoutError:
                return Given(answer.status, answer.headers, body)


async def archived(registry: Registry, caller: str, target: str, _doi: str) -> Given:
    """Download an archive, again where it changed underneath, and unpack it."""
    while True:
        with contextlib.suppress(aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
            status, body, headers = await registry.ask(caller, target)
            return Given(status, headers, unpacked(body) if status == OK else body)


async def resumed(registry: Registry, caller: str, target: str, _doi: str) -> Given:
    """Download an archive in two parts, from the start where it changed in between."""
    while True:
        with contextlib.suppress(aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
            status, first, headers = await registry.ask(caller, target, Range="bytes=0-999")
            if status != PART:
                return Given(status, headers, first)
            onward = {"Range": "bytes=1000-", "If-Range": headers["ETag"]}
            status, rest, headers = await registry.ask(caller, target, **onward)
            if status not in {OK, PART}:
                return Given(status, headers, rest)
            return Given(OK, headers, unpacked(first + rest if status == PART else rest))


def unpacked(archive: bytes) -> bytes:
    """Return what the files of an archive hold, one after the other."""
    held = b""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            content = file.read() if file else b""
            held += gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return held


def _rest(*paths: str, states: bool = True, **more: Any) -> tuple[Probe, ...]:
    return tuple(Probe("rest", path, states=states, **more) for path in paths)


def _transform(*forms: str, who: Who = AS_READ) -> tuple[Probe, ...]:
    by_path = (("/works/{doi}/transform/" + form, "*/*") for form in forms)
    by_accept = ("/v1/works/{DOI}/transform", f"{forms[-1]}, text/plain;q=0.1")
    return tuple(
        Probe("content-negotiation", path, who=who, headers={"Accept": accept})
        for path, accept in (*by_path, by_accept)
    )


def _snapshot(*files: str, fetch: Fetch) -> tuple[Probe, ...]:
    return tuple(
        Probe(
            "snapshots",
            f"/snapshots/monthly/{file}",
            who=SUBSCRIBED,
            refused=ALL - {"plus"},
            fetch=fetch,
            others=True,
        )
        for file in files
    )


def _oai(verb: str, more: str = "", **said: Any) -> tuple[Probe, ...]:
    places = ("/oai", "/OAIHandler") if "cr_unixml" in more else ("/oai",)
    return tuple(Probe("oai-pmh", f"{place}?verb={verb}{more}", **said) for place in places)


_TERMS: Final = f'"search-terms":"{SECRET}"'.encode()

PROBES: Final[tuple[Probe, ...]] = (
    *_rest("/works/{doi}", "/v1/works/{doi}", "/v1.0/works/{DOI}", "/works/{doi}/"),
    *_rest(
        "/works?filter=prefix:{prefix}",
        "/v1/works?filter=doi:{doi}",
        "/prefixes/{prefix}/works",
        "/v1/prefixes/{prefix}/works?rows=5&offset=0",
        "/members/78/works?filter=prefix:{prefix}",
        "/works?filter=prefix:{prefix}&select=reference",
        "/works?filter=prefix:{prefix}&select=DOI,reference,references-count,relation",
        "/works?filter=prefix:{prefix},has-references:true&sort=references-count&order=asc",
        "/works?filter=prefix:{prefix}&sort=published"
        "&facet=publisher-name:*,type-name:*,published:*",
        "/works?filter=prefix:{prefix}&cursor=*&rows=2",
        "/works?filter=prefix:{prefix}&query=measured",
        "/works?filter=prefix:{prefix},type:journal-article,issn:1234-5679&sort=created",
        "/works?filter=prefix:{prefix},from-index-date:2020,until-created-date:2030"
        "&mailto=a@example.org",
    ),
    *_rest(
        "/journals/1234-5679/works?filter=prefix:{prefix}",
        "/types/journal-article/works?filter=prefix:{prefix}",
        "/works?sample=20&filter=prefix:{prefix}",
    ),
    *_rest("/works?filter=prefix:{prefix}&select=relation,references-count", states=False),
    *_rest(
        "/works?filter=prefix:{prefix}&select=DOI,title,references-count",
        "/works?filter=prefix:{prefix}&rows=0&facet=*",
        "/members/78",
        "/members",
        "/prefixes/{prefix}",
        "/works/{doi}/position",
        "/works/{doi}/quality",
        "/works/{doi}/agency",
        "/journals",
        "/journals/1234-5679",
        "/licenses",
        "/types/journal-article",
        states=False,
        who=NOBODY,
    ),
    *_rest(
        "/works?query=" + SECRET,
        "/works?query.bibliographic=" + SECRET,
        "/works?query.title=" + SECRET,
        states=False,
        who=NOBODY,
        echoes=_TERMS,
    ),
    *(
        probe
        for form in ("cr_unixsd", "cr_unixml")
        for probe in (
            *_oai(
                "GetRecord",
                f"&identifier=info:doi/{{doi}}&metadataPrefix={form}",
                who=HARVESTED,
                refused=STRANGERS,
            ),
            *_oai(
                "ListRecords",
                f"&set=J:{{prefix}}&metadataPrefix={form}",
                who=HARVESTED,
                refused=STRANGERS - {"other member"},  # who has none there, and is told so
            ),
        )
    ),
    *_oai(
        "ListRecords",
        "&set=J:{prefix}&metadataPrefix=oai_dc",
        who=NOBODY,
        refused=STRANGERS - {"other member"},
    ),
    *_oai("ListIdentifiers", "&set=J:{prefix}&metadataPrefix=cr_unixsd", who=NOBODY),
    *_oai("ListSets", who=NOBODY),
    *_oai("ListMetadataFormats", "&identifier=info:doi/{doi}", who=NOBODY),
    *_oai("Identify", who=NOBODY),
    *_transform(
        "application/vnd.citationstyles.csl+json",
        "application/json",
        "application/rdf+xml",
        "text/turtle",
        "text/n-triples",
        "text/n3",
        "application/ld+json",
        "application/vnd.crossref.unixref+xml",
        "application/vnd.crossref.unixsd+xml",
    ),
    *_transform(
        "application/x-bibtex",
        "application/x-research-info-systems",
        "text/x-bibliography",
        "text/plain",
        who=NOBODY,
    ),
    Probe("content-negotiation", "/{doi}", headers={"Accept": "application/unixref+xml"}),
    Probe("content-negotiation", "/works/{doi}.xml"),  # leads on to UNIXSD
    Probe("content-negotiation", "/works/{doi}/transform/image/png", who=NOBODY, refused=ALL),
    *(
        Probe("cited-by", path.replace("CITED", CITED), mark='"https://doi.org/{doi}"', others=True)
        for path in ("/works/CITED/cited-by?rows=1000", "/v1/works/CITED/cited-by?rows=1000")
    ),
    Probe("cited-by", "/getResolvedRefs?doi={doi}", who=OWNERS, refused=ALL - {"owner"}),
    Probe("cited-by", "/servlet/getForwardLinks?doi={doi}", who=NOBODY, refused=ALL - {"owner"}),
    Probe("cited-by", "/servlet/getForwardLinks?doi={prefix}", who=NOBODY, refused=ALL - {"owner"}),
    Probe(
        "cited-by",
        f"/servlet/getForwardLinks?doi={CITED}",
        who=NOBODY,
        refused=ALL - {"other member"},
    ),
    Probe("cited-by", "/openurl?id=doi:{doi}&pid=reader@example.org&noredirect=true", who=NOBODY),
    Probe(
        "cited-by",
        "/openurl?atitle=On+things+measured&aulast=Writer&date=2020&noredirect=true",
        who=NOBODY,
    ),
    Probe("feeds", "/works/changes?since=*&rows=1000", others=True),
    Probe("feeds", "/works/changes/stream?since=*", others=True, fetch=streamed),
    *_snapshot("2026/01/all.json.tar.gz", "latest/all.xml.tar.gz", fetch=archived),
    *_snapshot("2026/01/all.xml.tar.gz", "latest/all.json.tar.gz", fetch=resumed),
    *_oai("ListRecords", "&set=J:{prefix}:none&metadataPrefix=none", who=NOBODY),
)
"""All of them. What is refused with an error is a probe too, for errors may speak of records."""
