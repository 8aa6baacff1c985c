//! The contract between Hawser's user-mode client, its driver and the accelerator
