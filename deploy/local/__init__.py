"""One machine: where broker and store come from, and how everything on it starts and ends.

This is the only place that decides between addresses from the environment, containers and the
embedded pair (`platform.py`). It promises that no process it started stays behind, whatever
happens to the process that started it (`children.py`).
"""
