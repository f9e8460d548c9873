"""One module for each kind of channel; none imports another."""
