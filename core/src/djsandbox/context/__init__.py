"""`context_infos`: what finished jobs produced, and its addressing."""
