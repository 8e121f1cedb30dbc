"""Rules of np.linalg."""
