"""One module per vendor: the layouts of its frames, each with the document it is from."""
