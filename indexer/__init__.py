"""The write side: from a file of films to a published generation of all stores."""
