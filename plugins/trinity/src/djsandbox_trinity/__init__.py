"""Reinforcement fine-tuning with Trinity-RFT."""
