"""``./colophon``, as `python -m deploy.operate`."""

from deploy.operate.app import main

if __name__ == "__main__":
    main()
