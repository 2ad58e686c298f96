"""What runs inside a wall. Standard library only; the restricted child also imports RestrictedPython."""
