"""Metrics and tables: into a record in the work_dir, out to observers."""
