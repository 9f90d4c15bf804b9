"""The only package that orders work: plan, prepare, run."""
