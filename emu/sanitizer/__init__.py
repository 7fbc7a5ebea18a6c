"""The sanitizer: each access to the heap is looked at, and what is wrong is told with its place."""
