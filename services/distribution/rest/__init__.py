"""The Crossref REST interface without its sockets: parameters in, bytes out. Pure.

params.py reads and checks what a route was asked, plan.py turns it into a search, render.py and
members.py make the objects, envelope.py the answers around them. What stands in tables here is
the wire format of api.crossref.org, so that existing clients need no change; what differs is ours
on purpose: cursors never expire, and withheld references are said to be withheld.
"""
