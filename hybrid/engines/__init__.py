"""The engines that answer, each behind a protocol."""
