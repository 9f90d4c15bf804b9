"""Of func_timeout nothing is called; it only has to be there."""
