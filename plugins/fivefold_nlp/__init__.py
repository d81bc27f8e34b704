"""Language: text to labels, and text from text."""
