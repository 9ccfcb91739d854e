"""The query side: everything that a search request touches."""

import os

# FAISS's threads would spin while they wait for work: on a machine that does anything else a
# query took five times as long. Read when the library is loaded, so before anything of it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
