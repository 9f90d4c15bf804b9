"""ModelScope training and inference for djsandbox, in an environment of its own."""
