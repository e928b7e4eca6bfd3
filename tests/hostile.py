"""Files that nobody should send, and what each is told: made when asked for, some are large.

``FILES`` has a name, the rule that refuses the file whole ("" where it is taken as it stands, for
it does no harm), and a function that makes it.
"""

import gzip
from collections.abc import Callable
from itertools import count
from typing import Final

from tests.depositing import NAMESPACE, article, deposit

MB: Final = 1_000_000
SECRET: Final = "mary.secret@press.example"  # stands near each fault; no error may repeat it

_NUMBERS: Final = count(1)
_GOOD: Final = deposit(article("10.5555/good")).replace(b"nora@press.example", SECRET.encode())
_HEAD: Final = _GOOD.partition(b"<body>")[0].partition(b"?>")[2].strip()
_OPEN: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def whole(body: bytes, *, declaration: bytes = _OPEN, before: bytes = b"") -> bytes:
    """Return a file around the content of a journal; ``before`` stands before the root."""
    return (
        declaration
        + before
        + _HEAD
        + b"<body><journal><journal_metadata><full_title>Journal of Tests</full_title>"
        + b"</journal_metadata>"
        + body
        + b"</journal></body></doi_batch>"
    )


def one(title: bytes = b"A title", *, inside: bytes = b"", doi: bytes = b"") -> bytes:
    """Return an article as bytes, with a DOI of its own; nothing in it is escaped."""
    doi = doi or b"10.5555/h%d" % next(_NUMBERS)
    return (
        b'<journal_article publication_type="full_text"><titles><title>' + title + b"</title>"
        b'</titles><publication_date media_type="online"><year>2026</year></publication_date>'
        + inside
        + b"<doi_data><doi>"
        + doi
        + b"</doi><resource>https://example.org/h</resource></doi_data></journal_article>"
    )


def laughs() -> bytes:
    lines = (b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    said = b'<!DOCTYPE doi_batch [<!ENTITY l0 "lol">' + b"".join(lines) + b"]>"
    return whole(one(b"&l11;"), before=said)


def blown_up() -> bytes:
    """One long entity, named often: quadratic instead of exponential."""
    long = b'<!DOCTYPE doi_batch [<!ENTITY a "' + b"a" * 40_000 + b'">]>'
    return whole(one(b"&a;" * 10_000), before=long)


def external(what: bytes) -> bytes:
    return whole(one(b"&x;"), before=b"<!DOCTYPE doi_batch " + what + b">")


def deep(levels: int) -> bytes:
    return whole(one(b"<b>" * levels + b"x" + b"</b>" * levels))


def namespaces(count: int) -> bytes:
    said = b"".join(b' xmlns:n%d="urn:n%d"' % (n, n) for n in range(count))
    return whole(one(inside=b"<n1:x" + said + b"/>"))


def utf16(declared: bytes, *, mark: bool) -> bytes:
    text = whole(one("Grüße".encode()), declaration=declared).decode()
    return (b"\xff\xfe" if mark else b"") + text.encode("utf-16-le")


def many(piece: bytes, count: int) -> bytes:
    return whole(one(inside=piece * count))


INCLUDE: Final = (
    b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" '
    b'parse="text"/>'
)
_UNTOLD: Final = b'<?xml version="1.0"?>\n'
_SAID: Final = b'<?xml version="1.0" encoding="%s"?>\n'

FILES: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    # -- declarations
    "entity of its own": (
        "doctype",
        lambda: whole(one(b"&x;"), before=b'<!DOCTYPE doi_batch [<!ENTITY x "y">]>'),
    ),
    "a file's entity": ("doctype", lambda: external(b'[<!ENTITY x SYSTEM "file:///etc/passwd">]')),
    "a net's entity": ("doctype", lambda: external(b'[<!ENTITY x SYSTEM "http://127.0.0.1:9/">]')),
    "parameter entity": (
        "doctype",
        lambda: external(b'[<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]'),
    ),
    "external DTD": ("doctype", lambda: external(b'SYSTEM "http://127.0.0.1:9/x.dtd"')),
    "billion laughs": ("doctype", laughs),
    "quadratic entity": ("entity", blown_up),
    "DOCTYPE behind 60 KB of comments": (
        "doctype",
        lambda: whole(one(), before=b"<!--" + b"x" * 60_000 + b"--><!DOCTYPE doi_batch>"),
    ),
    "HTML's entity": ("entity", lambda: whole(one(b"a&nbsp;b"))),
    "entity named like an address": ("entity", lambda: whole(one(b"&mary.secret;"))),
    # -- shape
    "300 levels": ("too-deep", lambda: deep(300)),
    "a million levels": ("too-deep", lambda: deep(1_000_000)),
    "comments without end before the root": (
        "too-large",
        lambda: whole(one(), before=b"<!-- x -->" * 20_000),
    ),
    "comments without end inside": ("too-large", lambda: many(b"<!-- x -->", 2_000_000)),
    "instructions without end": ("too-large", lambda: many(b"<?a b?>", 2_500_000)),
    "a million siblings": ("too-large", lambda: many(b"<a/>", 1_000_000)),
    "three million siblings": ("too-large", lambda: many(b"<a/>", 3_000_000)),
    "an element of 2 million attributes": (
        "too-large",
        lambda: many(b"<a " + b" ".join(b"a%d=''" % n for n in range(1_300_000)) + b"/>", 1),
    ),
    "an attribute of 10 MB": (
        "too-large",
        lambda: many(b'<a b="' + b"x" * (10 * MB + 1) + b'"/>', 1),
    ),
    "a text of 17 MB": ("too-large", lambda: whole(one(b"x" * 17 * MB))),
    "a comment of 17 MB": ("too-large", lambda: many(b"<!--" + b"x" * 17 * MB + b"-->", 1)),
    "an instruction of 17 MB": ("too-large", lambda: many(b"<?x " + b"x" * 17 * MB + b"?>", 1)),
    "CDATA of 17 MB": ("too-large", lambda: whole(one(b"<![CDATA[" + b"x" * 17 * MB + b"]]>"))),
    "a name of 11 MB": ("too-large", lambda: many(b"<a" + b"x" * 11 * MB + b"/>", 1)),
    "a head of 20 MB": (
        "too-large",
        lambda: _GOOD.replace(b"<registrant>", b"<registrant>" + b"<x>yy</x>" * 2_200_000),
    ),
    "100,000 prefixes": ("", lambda: namespaces(100_000)),
    "20 prefixes at each of 10,000 elements": (
        "",
        lambda: many(
            b"<a" + b"".join(b' xmlns:p%d="urn:%d"' % (n, n) for n in range(20)) + b"/>", 10_000
        ),
    ),
    "unbound prefix": ("malformed", lambda: many(b"<nobody:x/>", 1)),
    "XInclude": ("", lambda: many(INCLUDE, 1)),
    "a stylesheet": (
        "",
        lambda: whole(
            one(),
            before=b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl" type="text/xsl"?>\n',
        ),
    ),
    # -- bytes
    "nothing": ("content-in-prolog", lambda: b""),
    "white space": ("content-in-prolog", lambda: b" \n" * 1000),
    "a mark and nothing": ("content-in-prolog", lambda: b"\xef\xbb\xbf"),
    "zeros": ("content-in-prolog", lambda: b"\0" * MB),
    "JSON": ("content-in-prolog", lambda: b'{"doi": "10.5555/x"}'),
    "a compressed file": ("content-in-prolog", lambda: gzip.compress(_GOOD)),
    "a compressed file of 100 MB": (
        "content-in-prolog",
        lambda: gzip.compress(b"<a>" + b" " * 100 * MB),
    ),
    "Latin-1 that says UTF-8": ("encoding", lambda: whole(one(b"Gr\xfc\xdfe " + SECRET.encode()))),
    "UTF-8 that says Latin-1": (
        "",
        lambda: whole(one("Grüße".encode()), declaration=_SAID % b"ISO-8859-1"),
    ),
    "UTF-8 that says UTF-16": (
        "encoding",
        lambda: whole(one("Grüße".encode()), declaration=_SAID % b"UTF-16"),
    ),
    "UTF-16 with a mark": ("", lambda: utf16(_SAID % b"UTF-16", mark=True)),
    "UTF-16 without a mark": ("", lambda: utf16(_SAID % b"UTF-16", mark=False)),
    "UTF-16 that says nothing": ("", lambda: utf16(_UNTOLD, mark=False)),
    "an encoding nobody knows": (
        "encoding",
        lambda: whole(one(), declaration=_SAID % b"x-klingon-secret"),
    ),
    "half a character at the end": ("truncated", lambda: whole(one())[:-20] + b"\xc3"),
    "overlong UTF-8": ("encoding", lambda: whole(one(b"\xc0\xaf"))),
    "a surrogate in UTF-8": ("encoding", lambda: whole(one(b"\xed\xa0\x80"))),
    "NUL": ("forbidden-character", lambda: whole(one(b"a\0b"))),
    "a bell": ("forbidden-character", lambda: whole(one(b"a\x07b"))),
    "an escaped NUL": ("forbidden-character", lambda: whole(one(b"a&#0;b"))),
    "an escaped bell": ("forbidden-character", lambda: whole(one(b"a&#x7;b"))),
    "U+FFFE": ("forbidden-character", lambda: whole(one("\ufffe".encode()))),
    "a number beyond Unicode": ("forbidden-character", lambda: whole(one(b"&#x110000;"))),
    # -- ends
    "cut within a tag": ("truncated", lambda: _GOOD[:-5]),
    "cut within an attribute that holds an address": (
        "truncated",
        lambda: whole(one(inside=b'<a b="' + SECRET.encode()))[
            : -len(b"</journal></body></doi_batch>")
        ],
    ),
    "two roots": ("malformed", lambda: _GOOD + _GOOD.partition(b"?>")[2]),
    "something after the end": ("malformed", lambda: _GOOD + SECRET.encode()),
    "another root": (
        "unsupported-schema",
        lambda: b"<html><head><title>502</title></head><body>Bad Gateway</body></html>",
    ),
    "another version": (
        "unsupported-schema",
        lambda: _GOOD.replace(NAMESPACE.encode(), b"http://www.crossref.org/schema/9.9.9"),
    ),
    "no head": (
        "head-incomplete",
        lambda: _OPEN + b'<doi_batch xmlns="%s"><body/></doi_batch>' % NAMESPACE.encode(),
    ),
    "a version of XML that is an address": (
        "malformed",
        lambda: whole(one(), declaration=b'<?xml version="%s"?>' % SECRET.encode()),
    ),
    "a namespace that is an address": (
        "malformed",
        lambda: many(b'<p:x xmlns:p="%s a b"/>' % SECRET.encode(), 1),
    ),
}
# Those whose record is refused while the file is readable: name, rule of the record, maker.
RECORDS: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "a DOI of 1 MB": ("doi-pattern", lambda: whole(one(doi=b"10.5555/" + b"x" * MB))),
    "a DOI with an address": (
        "doi-pattern",
        lambda: whole(one(doi=b"mailto:" + SECRET.encode())),
    ),
    "a URL of 1 MB": (
        "resource-url",
        lambda: whole(one()).replace(b"https://example.org/h", b"https://e.org/" + b"x" * MB),
    ),
    "a script for a URL": (
        "resource-url",
        lambda: whole(one()).replace(b"https://example.org/h", b"javascript:alert(1)"),
    ),
    "a timestamp of 1 MB": (
        "timestamp",
        lambda: whole(one()).replace(b"<timestamp>1<", b"<timestamp>" + b"1" * MB + b"<"),
    ),
    "a year of 1 MB": (
        "invalid-year",
        lambda: whole(one()).replace(b"<year>2026<", b"<year>" + b"2" * MB + b"<"),
    ),
}
