"""What shall happen: operations, the language they are written in, and the traces of others."""
