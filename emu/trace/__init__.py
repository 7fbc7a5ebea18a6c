"""Every instruction and access of a run, and the questions that are asked of them."""
