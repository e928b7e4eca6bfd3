"""Distribution: every way to read, and the one gate they all ask.

It owns the read models (works, members, prefixes in the store; the search index of each host),
promises that a reference preference bites at every outlet within a second, and never decides who
may see what by any rule of its own: shared.policy does. It holds no personal data.
"""
