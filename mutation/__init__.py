"""Mutation testing: small faults are put into the code, one at a time, to see if a test fails.

The faults are those of mutmut. Its own runner is of no use here: it omits decorated functions and
constants, and has one selection of tests for all modules. So the tests run once without a fault,
which shows what lines each reaches, and how long it takes. Then each mutant is written into a copy
of the project and tested by the tests of its module that reach its line, the quickest first. They
run in a process forked from one that has imported everything, in which only the function with the
fault is exchanged; a fault in what runs at an import takes a process that imports anew.
"""
