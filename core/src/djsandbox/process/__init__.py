"""Running one outside command: its environment, its lines, and an end for its whole process tree."""
