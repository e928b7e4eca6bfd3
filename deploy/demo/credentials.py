"""What was made for the demo and must be kept: passwords and tokens, in one private file."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from deploy.demo.interfaces import Login

_PRIVATE = 0o600


class Credentials:
    """The logins and Plus tokens of the demo; every change is on disk before it is used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._said: dict[str, Any] = {"logins": {}, "plus": {}}
        if path.exists():
            self._said |= json.loads(path.read_text("utf-8"))

    def login(self, member: int) -> Login | None:
        """Return a member's login, if one was made."""
        said = self._said["logins"].get(str(member))
        return Login(said["login"], said["password"]) if said else None

    def make_login(self, member: int, name: str) -> Login:
        """Make a login with a fresh password, and keep it."""
        made = Login(name, secrets.token_urlsafe(18))
        self._said["logins"][str(member)] = {"login": made.login, "password": made.password}
        self._save()
        return made

    def forget_login(self, member: int) -> None:
        """Drop a login that turned out to be taken."""
        self._said["logins"].pop(str(member), None)
        self._save()

    def plus(self, kind: str) -> str | None:
        """Return the Plus token of a kind of subscriber: `plus` or `expired`."""
        token = self._said["plus"].get(kind)
        return str(token) if token else None

    def keep_plus(self, kind: str, token: str) -> None:
        """Keep a Plus token."""
        self._said["plus"][kind] = token
        self._save()

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w") as out:
            json.dump(self._said, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self.path)
