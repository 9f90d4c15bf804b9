"""What a work_dir remembers: the append-only run record, content keys, fingerprints and the lock on it."""
