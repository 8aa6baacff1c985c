//! KMDF: request.
