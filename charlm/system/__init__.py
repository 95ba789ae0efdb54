"""What lies below everything: whole files, tensor files, the machine, memory and threads."""
