"""Data-Juicer's classifier of text quality, which runs on Spark in an environment of its own."""
