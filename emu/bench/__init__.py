"""What allocators cost: traces replayed, counted exactly, compared, and laws fitted to counts."""
