"""Model drift: how far the features that a model sees now are from those of its reference period."""
