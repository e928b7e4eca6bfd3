"""What accounts can be asked to do: load, decide, save. Each verb is one function.

All take an ``Accounts``; refusals come back as values. A verb that changes several documents
changes the one that decides first and settles the rest; what a crash leaves unsettled is finished
by ``settling``.
"""
