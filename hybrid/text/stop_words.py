"""The words that the keyword side of every engine leaves out."""

STOP_WORDS = """
    a an and are as at be but by for if in into is it no not of on or such that the their then there
    these they this to was what who will with
""".split()
"""Lucene's classic English list, and the two words that most questions begin with."""
