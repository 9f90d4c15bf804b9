"""Tools of this package's developers; nothing here is used at run time."""
