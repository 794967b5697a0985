"""One file a schema that was released, each above the one before."""
