"""What each stage of a pipeline emitted, and when."""
