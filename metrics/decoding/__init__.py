"""Turns pushed bytes into a parcel of samples or into faults with pointers; no database."""
