"""What finished jobs produced, and how later jobs address it."""
