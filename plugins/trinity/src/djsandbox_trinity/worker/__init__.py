"""What runs in Trinity's environment: nothing but the standard library of Python 3.10, and Trinity itself."""
