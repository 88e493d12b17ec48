//! Prints: issue in, files out. The same issue always gives the same bytes; nothing here asks for the time.
