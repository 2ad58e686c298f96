"""What a long-lived process of ours does to itself once it stands."""

import gc
import resource


def raise_descriptor_limit() -> int:
    """Let this process open as many files as it may at all; how many that is."""
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    return files_max


def spare_collections() -> None:
    """Take what is there for good out of garbage collection: walking all of it holds the event loop for some 80 ms."""
    gc.collect()
    gc.freeze()
