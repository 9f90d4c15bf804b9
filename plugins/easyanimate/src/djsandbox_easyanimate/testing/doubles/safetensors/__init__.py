"""What of safetensors is called."""
