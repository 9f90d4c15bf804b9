"""Of xformers nothing is called; it only has to be there."""
