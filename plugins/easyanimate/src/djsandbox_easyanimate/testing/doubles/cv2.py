"""Of cv2 nothing is called; it only has to be there."""
