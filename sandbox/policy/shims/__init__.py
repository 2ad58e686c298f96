"""Replacements for library names that would read attributes by name, evaluate text, or reach what agents must not have.

One module per replaced library module; `__all__` lists exactly the names that agent code gets instead of the original.
"""
