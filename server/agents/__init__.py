"""Agents: create from code, list, show, delete, and the contract that inputs must fit."""
