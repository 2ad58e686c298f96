"""The caller's account as a whole: export it, erase it."""
