"""The stop words of the keyword engines."""

STOP_WORDS = """
    a an and are as at be but by for if in into is it no not of on or such that the their then there
    these they this to was what who will with
""".split()
"""Lucene's classic English list, and the two words with which most questions begin."""
