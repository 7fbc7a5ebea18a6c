"""How strace spells what a register means; one family of meanings a file.

A text is a function of a decoded argument and of the call as it is seen from there (sight.py). It
answers None where strace prints nothing at all, like the mode of an open that creates nothing.
The manner is that of strace 6.1, and was compared with it word by word (tests/syscalls).
"""
