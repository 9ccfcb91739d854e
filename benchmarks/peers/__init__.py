"""Peers: other libraries that answer the same queries on the same films, measured side by side."""
