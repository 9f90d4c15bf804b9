"""FID, KID, IS, FVD and their relatives on generated videos, for djsandbox."""
