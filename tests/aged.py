"""The other side of an export: a processor with a private key, who opens files of age."""

from dataclasses import dataclass

import pyrage


@dataclass(frozen=True, slots=True)
class Processor:
    """Who may open what was encrypted for ``recipient``."""

    recipient: str
    private: pyrage.x25519.Identity

    def opened(self, file: bytes) -> bytes:
        """Open a file; raises where a byte of it was changed or is missing."""
        plain: bytes = pyrage.decrypt(file, [self.private])
        return plain


def processor() -> Processor:
    """Make a pair of keys."""
    private = pyrage.x25519.Identity.generate()
    return Processor(str(private.to_public()), private)
