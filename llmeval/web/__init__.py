"""HTTP servers for people on this machine, guarded against other pages and other hosts."""
