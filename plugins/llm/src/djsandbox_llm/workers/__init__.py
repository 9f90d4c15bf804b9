"""What runs in the environments of the models. It needs nothing of djsandbox, and Python 3.9 or later."""
