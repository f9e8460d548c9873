"""Refuse a Python that is too old, in syntax that every Python reads; what runs next needs a newer one to be parsed."""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    found = "%d.%d" % sys.version_info[:2]  # noqa: UP031  (Python 2 has no other way)
    sys.exit("Python 3.11 or newer is needed and this is " + found + "; name one, as in: make up PYTHON=python3.11")
