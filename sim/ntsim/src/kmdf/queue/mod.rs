//! KMDF: queue.
