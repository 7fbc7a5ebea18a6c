"""What it looked like: read from memory and events, never by touching the machine."""
