"""Where it happens: a CPU, its memory and a kernel, put together as a process."""
