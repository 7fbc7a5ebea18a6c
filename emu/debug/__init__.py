"""A debugger at the door: GDB's remote protocol, spoken to whatever runs and travels in time."""
