"""Rebuilding the read models beside the live ones, and changing over between two looks.

What is read by key lives in collections whose names carry a generation; one document, the pointer
(pointer.py), names the live one, the next one and the one that is kept for going back. The
projector writes each batch into every generation the pointer names, the one that takes over first;
so the filling (filling.py) only has to catch up with the log, in any order. Then each work's
citations are counted and everything is compared (checking.py), and one compare-and-set changes
over (changing.py). A generation that no pointer names is garbage (sweeping.py). The search index of
each host is built anew in the same manner by the host itself (lists.py).
"""
