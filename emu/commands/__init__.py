"""The commands of `emu`, one a file."""
