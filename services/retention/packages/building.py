"""Making a package: read, written and sealed as it goes, a megabyte at a time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from services.retention.model.packages import KeptPackage
from services.retention.packages.contents import Contents, manifest
from services.retention.packages.reading import Reader
from services.retention.packages.zipping import Archive
from shared.mongo import Collection, faults
from shared.privacy.envelope import OpenKey, open_chunk, seal_stream
from shared.privacy.keyring import KeyRing
from shared.privacy.receipts import Signer

CLASS: Final = "access-package"
UNIT: Final = "package"
SCHEMA: Final = "retention.package.v1"


@dataclass(slots=True)
class Making:
    """A package while it is made; ``sha`` and ``octets`` are of the whole archive."""

    package: KeptPackage
    reader: Reader
    contents: Contents
    about: Mapping[str, Any]
    services: Mapping[str, str]
    signer: Signer
    at: str
    sha: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    octets: int = 0

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the archive's bytes as they are written. Raises ``Transient``."""
        archive = Archive()
        with archive.entry(self.contents.log) as log:
            async for several in self.reader.read():
                log.write(b"".join(map(self.contents.take, several)))
                if part := archive.taken():
                    yield self._counted(part)
        for name, data in self.contents.files(self.about):
            for part in archive.pieces(name, data):
                if part:
                    yield self._counted(part)
                await asyncio.sleep(0)  # others get their turn
        said_ = manifest(
            self.package.package, self.at, archive.files, self.reader.ends, self.services
        )
        signed = self.signer.signed(said_, created=self.at)
        archive.add("manifest.json", orjson.dumps(signed, option=orjson.OPT_SORT_KEYS))
        yield self._counted(archive.close())

    def _counted(self, part: bytes) -> bytes:
        self.sha.update(part)
        self.octets += len(part)
        return part


@dataclass(frozen=True, slots=True)
class Chunks:
    """Sealed packages, chunk by chunk: ``<package>#<number>``."""

    collection: Collection
    ring: KeyRing

    def key_of(self, package: KeptPackage) -> Callable[[], Awaitable[OpenKey]]:
        """Return what asks for the key of a package, anew for each chunk."""

        async def key() -> OpenKey:
            return (await self.ring.sealing(package.person, CLASS, UNIT))[UNIT]

        return key

    async def write(self, package: KeptPackage, parts: AsyncIterator[bytes]) -> int:
        """Seal a stream over whatever an interrupted try left; return how many chunks it took."""
        count = 0
        sealed = seal_stream(self.key_of(package), parts, record=package.package, schema=SCHEMA)
        async for chunk in sealed:
            with faults():
                await self.collection.replace_one(
                    {"_id": f"{package.package}#{chunk.number}"},
                    {"package": package.package, "data": chunk.data, "last": chunk.last},
                    upsert=True,
                )
            count = chunk.number + 1
        return count

    async def read(self, package: KeptPackage) -> AsyncIterator[bytes]:
        """Give a package in clear. Raises ``UnsealError``, ``FencedError``, ``Transient``."""
        key = self.key_of(package)
        for number in range(package.chunks):
            with faults():
                found = await self.collection.find_one({"_id": f"{package.package}#{number}"})
            if found is None:
                raise LookupError(f"chunk {number} of a package is missing")
            yield open_chunk(
                await key(),
                bytes(found["data"]),
                record=package.package,
                number=number,
                last=found["last"],
                schema=SCHEMA,
            )

    async def discard(self, package: str) -> None:
        """Delete what is sealed of a package."""
        with faults():
            await self.collection.delete_many({"package": package})
