"""Personal data, looked at from outside: what is declared, what is held, and what leaks.

``fields`` compares every model with the declarations, ``register`` writes down what is held,
``canaries``, ``needles`` and ``scan`` look for clear values where none may be, ``testdata`` makes
copies without any. All follow from ``Personal(...)`` annotations (shared.privacy.personal).
"""
