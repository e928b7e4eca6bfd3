"""What keeps Colophon from starting, said so that a person can act on it."""


class Obstacle(Exception):
    """One plain sentence saying what is wrong, and one saying the remedy."""

    def __init__(self, what: str, remedy: str, /) -> None:
        super().__init__(f"{what}\n  {remedy}")
