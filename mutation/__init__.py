"""Mutation testing: small faults are put into the code, one at a time, to see if a test fails.

The faults are those of mutmut. Its own runner is of no use here: it omits decorated functions and
constants, runs all tests before the first mutant, and has one selection of tests for all modules.
So each mutant is written into a copy of the project and tested in a process forked from one that
has imported the libraries, which takes a quarter of the time of a new process.
"""
