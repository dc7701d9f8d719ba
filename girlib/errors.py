"""The one exception that a user's mistake raises."""


class GirlibError(ValueError):
    """Says in one sentence where, what was given, what was expected, and what to do."""
