"""The one exception that ends a command with a sentence instead of a traceback."""


class OperatorError(Exception):
    """Something the person at the keyboard can mend; the text is one plain sentence."""
