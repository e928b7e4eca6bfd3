"""Huge deposits, made as they are sent: deterministic journal articles with references, as bytes.

Nothing here holds a whole file. An article with its 15 references has about 3.5 KB, so that
100 MB are some 29,000 records.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.depositing import NAMESPACE, PASSWORD, PRESS, Login
from tests.processes import Running

MB: Final = 1_000_000
_PIECE: Final = 262_144
_BOUNDARY: Final = "----colophon-bulk-7d1f"


@dataclass(frozen=True, slots=True)
class Bulk:
    """A deposit of articles `10.5555/<name>.<n>` with ``references`` each, in ISSUES of 1,000."""

    name: str
    articles: int
    references: int = 15
    timestamp: int = 1
    prefix: str = "10.5555"

    @classmethod
    def of_size(cls, name: str, size: int, **more: Any) -> "Bulk":
        """Return the deposit of about ``size`` bytes, not more."""
        each = len(cls(name, 1, **more).article(99_999))
        return cls(name, max(size // each - 1, 1), **more)

    def doi(self, number: int) -> str:
        return f"{self.prefix}/{self.name}.{number}"

    def pieces(self) -> Iterator[bytes]:
        """Yield the file in pieces of about a quarter of a megabyte."""
        held = bytearray(self._head())
        for number in range(self.articles):
            held += self.article(number)
            if len(held) >= _PIECE:
                yield bytes(held)
                held.clear()
        yield bytes(held) + b"</journal></body></doi_batch>\n"

    def write(self, path: Path) -> int:
        """Write the file and return its size."""
        with path.open("wb") as file:
            return sum(file.write(piece) for piece in self.pieces())

    def article(self, number: int) -> bytes:
        doi = self.doi(number)
        cited = "\n".join(self._citation(number, n) for n in range(self.references))
        return (
            '<journal_article publication_type="full_text">\n'
            f"<titles><title>On the measurement of {self.name} {number} and what it is made of"
            "</title></titles>\n<contributors>\n"
            '<person_name sequence="first" contributor_role="author"><given_name>Ada</given_name>'
            f"<surname>Ångström {number % 97}</surname></person_name>\n"
            '<person_name sequence="additional" contributor_role="author"><given_name>Bo'
            "</given_name><surname>Writer</surname></person_name>\n</contributors>\n"
            '<publication_date media_type="online"><month>03</month><day>01</day>'
            f"<year>{2000 + number % 25}</year></publication_date>\n"
            f"<pages><first_page>{number % 900 + 1}</first_page></pages>\n"
            f"<doi_data><doi>{doi}</doi><resource>https://example.org/{doi}</resource></doi_data>\n"
            f"<citation_list>\n{cited}\n</citation_list>\n</journal_article>\n"
        ).encode()

    def _citation(self, number: int, n: int) -> str:
        said = (
            "<journal_title>Annals of Measured Things</journal_title>"
            f"<author>Élan</author><volume>{n + 1}</volume><first_page>{100 + n}</first_page>"
            f"<cYear>{1990 + n}</cYear>"
        )
        if n % 3 == 0:
            said += f"<doi>10.1234/cited.{(number * 31 + n * 977) % 50_000}</doi>"
        return f'<citation key="ref{n}">{said}</citation>'

    def _head(self) -> bytes:
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<doi_batch version="5.3.1"'
            f' xmlns="{NAMESPACE}">\n<head><doi_batch_id>{self.name}</doi_batch_id>'
            f"<timestamp>{self.timestamp}</timestamp><depositor><depositor_name>Nora Depositor"
            "</depositor_name><email_address>nora@press.example</email_address></depositor>"
            "<registrant>Press</registrant></head>\n<body><journal><journal_metadata><full_title>"
            'Journal of Bulk</full_title><issn media_type="electronic">2167-8359</issn>'
            "</journal_metadata>\n"
        ).encode()


async def send(
    session: aiohttp.ClientSession,
    url: str,
    pieces: Callable[[], Iterator[bytes]],
    *,
    login: Login = PRESS,
    file_name: str = "bulk.xml",
    path: str = "/servlet/deposit",
) -> tuple[int, str]:
    """Deposit a file as a stream, chunked; return status and text."""

    async def body() -> AsyncIterator[bytes]:
        for name, value in (("login_id", login.name), ("login_passwd", PASSWORD)):
            yield part(name, value)
        yield opening(file_name)
        making = pieces()
        while (piece := await asyncio.to_thread(next, making, None)) is not None:
            yield piece
        yield f"\r\n--{_BOUNDARY}--\r\n".encode()

    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    timeout = aiohttp.ClientTimeout(total=None)
    async with session.post(url + path, data=body(), headers=headers, timeout=timeout) as answer:
        return answer.status, await answer.text()


def part(name: str, value: str) -> bytes:
    """Return a form field."""
    said = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    return said.encode()


def opening(file_name: str) -> bytes:
    """Return what stands before the file's bytes."""
    return (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="fname"; filename="{file_name}"'
        "\r\nContent-Type: text/xml\r\n\r\n"
    ).encode()


def number_of(page: str) -> str:
    """Return the submission's number from the page that says SUCCESS."""
    assert "SUCCESS" in page, page
    return page.partition("Submission ID: ")[2].partition("<")[0]


def memory(running: Running) -> dict[str, float]:
    """Return a process's memory in MB: ``VmHWM`` at its peak, ``VmRSS`` now."""
    said = Path(f"/proc/{running.process.pid}/status").read_text()
    found = re.findall(r"^(VmHWM|VmRSS):\s+(\d+) kB", said, re.MULTILINE)
    return {name: int(size) * 1024 / MB for name, size in found}


def cpu_seconds(running: Running) -> float:
    """Return the CPU time a process has used."""
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
