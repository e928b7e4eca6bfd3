"""The embedded broker: Apache Kafka in a Java process of its own, over state that it keeps.

`jars.py` gets the program through Maven once per checkout; `server.py` formats and starts it,
`secured.py` with users where they are wanted.
"""
