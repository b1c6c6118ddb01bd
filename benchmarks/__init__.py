"""What a pass over healthy hosts costs, beside the least that OpenSSH and curl take for it."""
