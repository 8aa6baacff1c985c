//! The driver's scenarios: submissions, faults and orders of events on the whole simulated machine. One program, so that it is linked once.

mod bad_image;
mod bad_input;
mod buffers;
mod common;
mod costs;
mod device_faults;
mod driver_paths;
mod in_flight;
mod interrupts;
mod lifecycle;
mod random_programs;
mod review_many_runs;
mod review_map_registers;
mod review_ones;
mod review_reach;
mod scarcity;
mod seeds;
mod stale_memory;
mod symbols;
mod two_forms;
mod waiting;
