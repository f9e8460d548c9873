"""The development inbox: where messages arrive when `make up` runs on one machine."""
