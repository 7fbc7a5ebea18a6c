"""What a debugger needs to know of a program, found out from its machine code."""
