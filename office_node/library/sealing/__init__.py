"""Contents as they lie encrypted, each under a key of its own, and that key wrapped to the office's storage key."""
