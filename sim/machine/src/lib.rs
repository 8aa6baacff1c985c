//! A simulated PC: ntsim, the accelerator model and the Hawser driver put together
