"""The known errors that the core brings: those of the user guide's questions and answers, and the usual ones of their kind."""
