"""The mails of accounts. None holds more of a person than the address it goes to."""
