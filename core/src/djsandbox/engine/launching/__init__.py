"""Tasks of jobs: who runs them, what becomes of them, and which need not be run again."""
