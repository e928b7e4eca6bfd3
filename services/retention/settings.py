"""Settings of retention: so far those that every service has."""

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What retention needs: nothing beside what every service needs."""
