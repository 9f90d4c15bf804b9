"""Recognising known errors in what a failure has left behind."""
