"""The FAISS index."""
