"""N-gram models estimated from sorted streams on disk, in as much memory as is allowed."""
