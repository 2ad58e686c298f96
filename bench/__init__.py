"""Measures what runs cost on this machine, as multiples of a bare interpreter start in the same run."""
