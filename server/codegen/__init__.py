"""Generation: a description becomes an agent once it was checked, tried on examples and, where it failed, mended."""
