"""Real gdb on the emulated machine: its remote protocol, and the way to each caller in the ELF."""
