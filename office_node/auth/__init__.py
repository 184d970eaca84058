"""Who may call us, and how we prove who we are."""
