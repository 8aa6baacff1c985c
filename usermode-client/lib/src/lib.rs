//! User-mode client of the Hawser driver: programs, buffers, transports
