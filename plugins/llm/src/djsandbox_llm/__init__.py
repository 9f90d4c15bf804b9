"""Language model inference for djsandbox: any OpenAI-compatible endpoint, Hugging Face models, vLLM."""
