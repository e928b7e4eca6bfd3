"""The log: topics as data, fenced sends, one consumer loop, gate knowledge, dead letters."""
