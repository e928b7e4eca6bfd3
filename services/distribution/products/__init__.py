"""Topic products: each work as the audience of a topic may see it, for indexers to follow.

One writer a partition of the works, fenced by the broker, publishes what is new first and beside it
publishes again what a preference, a transfer or a removal changed. What it published last of each
work is its own topic, folded into a ledger of this host; so no record stands behind a newer one,
and what is left to do is the difference between that ledger and what the gate says now.
"""
