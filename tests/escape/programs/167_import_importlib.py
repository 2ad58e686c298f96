"""The import machine as a module.

Technique: smolagents and PandasAI write-ups (importlib).
expect: rejected
control: escapes
"""

from importlib import import_module


def run(inputs):
    return {"escaped": repr(import_module("os"))[:60]}
