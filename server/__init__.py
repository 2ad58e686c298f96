"""HTTP, authentication, generation, gloves and the command line. Parses and answers; no SQL, no isolation code."""
