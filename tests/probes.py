"""Every way to get at references from outside, one row each, and who may see them there.

A probe asks as somebody about a work and its owner prefix and returns all it was given: head and
body, unpacked. Who may see what is written down by hand, from the policy text and not from the
policy file, so that a wrong row in the file fails too. A new outlet is new rows.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.leaking import CALLERS, SECRET, Registry

Who = Mapping[str | None, frozenset[str]]

AS_READ: Final[Who] = {
    "open": frozenset(CALLERS),
    "limited": frozenset({"plus", "owner"}),
    None: frozenset({"plus", "owner"}),  # nobody chose: limited since 2018
    "closed": frozenset({"owner"}),
}
"""Who reads a record and gets its references (CRR-5 to CRR-8)."""

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


Fetch = Callable[[Registry, str, str], Awaitable[Given]]


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
            return await self.fetch(registry, caller, target)
        said = await registry.ask(caller, target, **{**self.headers, **headers})
        return Given(said[0], said[2], said[1])

    def shows(self, given: Given, planted: str = SECRET) -> bool:
        """Whether the planted string stands anywhere in what was given, beside the question."""
        everything = given.everything
        if self.echoes:
            everything = everything.replace(self.echoes, b"")
        return planted.encode() in everything

    def told(self, given: Given) -> bool:
        """Whether an answer says that references are withheld."""
        return b'"references-withheld"' in given.body


def _rest(*paths: str, states: bool = True, **more: Any) -> tuple[Probe, ...]:
    return tuple(Probe("rest", path, states=states, **more) for path in paths)


def _transforms(*forms: str, **more: Any) -> tuple[Probe, ...]:
    return tuple(
        Probe("content-negotiation", f"/works/{{doi}}/transform/{form}", **more) for form in forms
    )


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
    *_rest("/works?filter=prefix:{prefix}&select=relation,references-count", states=False),
    *_rest(
        "/works?filter=prefix:{prefix}&select=DOI,title,references-count",
        "/works?filter=prefix:{prefix}&rows=0&facet=*",
        "/members/78",
        "/members",
        "/prefixes/{prefix}",
        "/works/{doi}/position",
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
    *_transforms(
        "application/vnd.citationstyles.csl+json",
        "application/vnd.crossref.unixref+xml",
        "application/vnd.crossref.unixsd+xml",
        "application/rdf+xml",
        "text/turtle",
        "text/n-triples",
        "application/ld+json",
    ),
    *_transforms(
        "application/x-bibtex",
        "application/x-research-info-systems",
        "text/x-bibliography",
        who=NOBODY,
    ),
    Probe("content-negotiation", "/v1/works/{DOI}/transform"),
    Probe("content-negotiation", "/{doi}"),
)
"""All of them. What is refused with an error is a probe too, for errors may speak of records."""
