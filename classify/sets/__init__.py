"""One reader per data set; `classify.datasets` lists them."""
