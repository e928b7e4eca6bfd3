"""What goes out: the documents of accounts. No hash, password or token but the one just issued."""
