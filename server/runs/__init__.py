"""Stored runs and their logs."""
