#!/usr/bin/env bash
# Make .venv as the lock says it: exactly those packages, each file compared with its hash.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=
for candidate in python3.11 python3 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "colophon: Python 3.11 is needed, and there is none on the PATH." >&2
    echo "  Install it (Debian 12: \`sudo apt install python3.11 python3.11-venv\`, macOS: \`brew install python@3.11\`, elsewhere: pyenv)." >&2
    exit 1
fi

echo "colophon: making the Python environment in .venv"
if ! [ -x .venv/bin/uv ] && ! "$python" -m venv --clear .venv; then # anew when a first try was cut off
    rm -rf .venv
    echo "colophon: $python cannot make environments." >&2
    echo "  Install its venv module (Debian and Ubuntu: \`sudo apt install python3.11-venv\`)." >&2
    exit 1
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
install() { .venv/bin/python -m pip install --quiet --require-hashes "$@"; }

# uv needs seconds where pip needs a minute; where it cannot reach an index that pip is set up for,
# pip does it.
if ! { .venv/bin/uv --version >/dev/null 2>&1 || install -r deploy/local/uv.txt; } ||
    ! .venv/bin/uv pip sync --quiet --require-hashes requirements-dev.txt deploy/local/uv.txt; then
    echo "colophon: uv could not do it, so pip does"
    install -r requirements-dev.txt
fi
touch .venv/complete
