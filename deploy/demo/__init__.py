"""The demo: real facts about 233 works of 37 members, and the tools that load and show them.

`works/` holds the facts, one file of JSON lines per member that deposits them in the demo;
`members.toml` says who these members are and how they set their preferences. Twelve works are owned
by another member than the one that deposits them: they are transferred. Nothing here is
imported by a service: the demo speaks to the running system through its public interfaces only.

| module | what it does |
|---|---|
| extract.py | made the facts: which records, and what was left out |
| facts.py | reads the facts; says what reading back must give, every exception named |
| deposit_xml/ | turns work objects into Crossref deposit XML |
| interfaces.py | the public interfaces of the system, as a client of theirs sees them |
| credentials.py | the logins and tokens made at load time |
| loading.py | `python -m deploy.demo load` |
| story.py | `python -m deploy.demo story`, which is `make demo` |
"""
