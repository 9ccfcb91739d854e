"""Who may do what over HTTP: keys and their scopes, and the hosts the service answers for."""
