"""Small text models for djsandbox that train in seconds on a CPU."""
