"""What runs in ModelScope's environment: the standard library of Python 3.10, ModelScope and what it brings."""
