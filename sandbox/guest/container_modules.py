"""What the guest of a container imports ahead of need.

What is imported costs every run of the container: the more memory a process has, the longer it takes to fork it and to
end its copy. What only the network would give a use is left to the programs that want it all the same.
"""

STANDARD_MODULES = (
    "base64", "collections", "concurrent.futures", "csv", "dataclasses", "datetime", "decimal", "email", "enum",
    "fractions", "functools", "hashlib", "heapq", "html", "inspect", "io", "itertools", "json", "logging", "math",
    "operator", "pathlib", "pickle", "random", "re", "secrets", "socket", "statistics", "string", "subprocess",
    "tempfile", "textwrap", "threading", "time", "traceback", "typing", "unicodedata", "urllib.parse", "uuid",
    "xml.etree.ElementTree", "zipfile", "zoneinfo",
)  # fmt: skip
# Only together with the image's packages.
LARGE_MODULES = ("asyncio", "multiprocessing", "sqlite3")
