"""What goes out: the documents of consent. No address, no blind index, no sealed value."""
