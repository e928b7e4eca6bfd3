"""The registry under fire: faults by a schedule, a history of what was asked, and a checker.

In the manner of Jepsen: nothing is asserted while it runs. Each invocation is written down with its
outcome, and a pure function judges the record of it all together with the state in the end.
"""
