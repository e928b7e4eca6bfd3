"""Deposits: submissions, works, titles and who owns them; it promises that what it acknowledged lasts."""
