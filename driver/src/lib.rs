//! The policy of the Hawser driver: one file for each stage of a request's life
