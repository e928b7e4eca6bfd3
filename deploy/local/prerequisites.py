"""What must be on the machine before anything starts, and what to do when it is not."""

import re
import shutil
import subprocess

from deploy.local.obstacle import Obstacle

JAVA_VERSION = 17
OWN_BROKER = "or set KAFKA_BOOTSTRAP to a broker you already have."


def require_java() -> None:
    """Raise Obstacle unless `java` of a sufficient version is on the PATH."""
    remedy = (
        "Install it (Debian and Ubuntu: `sudo apt install openjdk-17-jre-headless`, Fedora:"
        " `sudo dnf install java-17-openjdk-headless`, macOS: `brew install openjdk@17`), "
        + OWN_BROKER
    )
    java = shutil.which("java")
    if java is None:
        raise Obstacle(
            f"Java {JAVA_VERSION} is needed for the broker, and there is no `java` on the PATH.",
            remedy,
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < JAVA_VERSION:
        version = found[1] if found else "unknown"
        raise Obstacle(
            f"Java {JAVA_VERSION} or newer is needed for the broker; {java} is version {version}.",
            remedy,
        )


def require_maven() -> None:
    """Raise Obstacle unless `mvn` is on the PATH."""
    if shutil.which("mvn") is None:
        raise Obstacle(
            "Maven is needed to get the broker's program, and there is no `mvn` on the PATH.",
            "Install it (Debian and Ubuntu: `sudo apt install maven`, Fedora: `sudo dnf install"
            " maven`, macOS: `brew install maven`), " + OWN_BROKER,
        )
