"""The one route that aiohttp's own router sees of a site; our table decides behind it.

Deciding once instead of twice is worth 6 % of a small answer (docs/performance.md).
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import NoReturn

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractResource, ResourceRoute, UrlMappingMatchInfo


class Door(AbstractResource):
    """A resource that matches every path and method; names in paths are filled in behind it."""

    def __init__(self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        """Lead everything to ``handler``."""
        super().__init__()
        self._route = ResourceRoute("*", handler, self)

    @property
    def canonical(self) -> str:
        """The path under which aiohttp files it."""
        return "/"

    async def resolve(
        self,
        request: web.Request,  # noqa: ARG002  (the interface's)
    ) -> tuple[UrlMappingMatchInfo, set[str]]:
        """Match."""
        return UrlMappingMatchInfo({}, self._route), set()

    def raw_match(self, path: str) -> bool:  # noqa: ARG002  (the interface's)
        """Say yes."""
        return True

    def get_info(self) -> NoReturn:
        """Refuse: there is nothing to tell."""
        raise NotImplementedError

    def url_for(self, **kwargs: str) -> NoReturn:
        """Refuse: it leads nowhere in particular."""
        raise NotImplementedError

    def add_prefix(self, prefix: str) -> NoReturn:
        """Refuse: a site is not mounted under another."""
        raise NotImplementedError

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter((self._route,))
