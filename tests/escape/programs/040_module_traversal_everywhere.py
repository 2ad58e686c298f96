"""Every permitted module asked for every module that it may have imported.

Technique: Zope CVE-2021-32633 and CVE-2021-32674; smolagents CVE-2025-5120.
expect: contained
control: escapes
"""

import base64
import calendar
import collections
import contextlib
import copy
import csv
import dataclasses
import datetime
import decimal
import difflib
import enum
import fractions
import functools
import hashlib
import heapq
import html
import io
import json
import logging
import pprint
import random
import re
import statistics
import string
import textwrap
import typing
import urllib.parse
import uuid
import weakref
import zoneinfo

NAMES = (
    "sys os io re abc enum codecs types builtins copyreg warnings inspect functools collections _os _sys _io _re "
    "_collections_abc _thread threading locale itertools operator time struct decoder encoder scanner parse"
).split()
MODULES = [base64, calendar, collections, contextlib, copy, csv, dataclasses, datetime, decimal, difflib, enum]
MODULES += [fractions, functools, hashlib, heapq, html, io, json, logging, pprint, random, re, statistics, string]
MODULES += [textwrap, typing, urllib, urllib.parse, uuid, weakref, zoneinfo]


def run(inputs):
    for module in MODULES:
        for name in NAMES:
            text = repr(getattr(module, name, None))
            if text.startswith("<module") and ("from " in text or "(built-in)" in text or "(frozen)" in text):
                return {"escaped": name + ": " + text[:50]}
    return {"escaped": None}
