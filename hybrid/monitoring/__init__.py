"""What the service tells its operators: log, metrics, traces, and the time of each stage."""
