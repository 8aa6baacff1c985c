//! The image `hawser.sys` without the WDK: the driver, its entry stub, and what happens on a panic.
//!
//! `cargo xtask sys` builds it. With the WDK the driver crate alone makes the image; elsewhere this is a program that says so.
#![cfg_attr(all(windows, wdk_standin), no_std, no_main)]

#[cfg(all(windows, wdk_standin))]
mod panic;

#[cfg(all(windows, wdk_standin))]
use hawser_driver as _;

#[cfg(not(all(windows, wdk_standin)))]
fn main() {
    eprintln!("hawser.sys is a driver image, not a program: `cargo xtask sys` builds it");
    std::process::exit(2);
}
