"""Rules of the methods of ufuncs."""
