"""People and what proves who they are: accounts, passwords, one-time codes, sign-ins, plates. Pure."""
