"""Mutation testing: small faults put into the code, one at a time, to see whether a test fails.

The faults are those of mutmut. Its own runner cannot be used here: it leaves out decorated
functions and constants, runs all tests before the first mutant, and keeps one selection of tests
for all modules. So each mutant is written into a copy of the project and tested in a process that
is forked from one which has imported the libraries: that takes a quarter of the time of a new one.
"""
