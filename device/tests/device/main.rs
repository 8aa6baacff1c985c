//! Scenarios of the accelerator, driven as a driver drives it: through registers, rings and host memory.

mod auxiliary;
mod behaviour;
mod bus;
mod conformance;
mod delicate;
mod fence;
mod forecasts;
mod hostile;
mod interrupts;
mod known;
mod known_conversions;
mod known_reductions;
mod lifecycle;
mod malformed;
mod reference;
mod registers;
mod rig;
mod rings;
mod semantics;
mod shapes;
mod throughput;
