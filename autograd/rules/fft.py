"""Rules of np.fft."""
