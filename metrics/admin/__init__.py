"""Pages of the admin for sources, series and what is found in them."""
