//! A tour of programs that try to reach outside their buffer. They go to the driver as they are, without the checks of the client, and the
//! driver has to refuse each for the right reason, before any of it reaches the device.
//!
//! On Windows they go to the installed driver, elsewhere to the one in a simulated machine.
#![forbid(unsafe_code)]

mod attack;
mod attacks;
mod draft;
mod ground;
mod place;
mod report;
mod service;
mod tour;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use hawser::{Device, Transport};

use crate::attacks::chapters;
use crate::tour::Tour;

fn main() -> ExitCode {
    match place::Options::parse().with_device() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(wrong) => {
            eprintln!("{wrong} attacks did not end as they should");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the tour was broken off: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The whole tour. Returns how many attacks did not end as they should.
fn visit<T: Transport>(device: &Device<T>) -> Result<usize, Box<dyn Error>> {
    println!("a good program runs, and leaves its products in device-local memory");
    service::serve(device)?;
    let mut tour = Tour::new(device)?;
    let (mut attacks, mut wrong) = (0, 0);
    for chapter in chapters(&device.info()?) {
        println!("\n{}: a program that", chapter.title);
        for attack in &chapter.attacks {
            let outcome = tour.attack(attack)?;
            print!("{}", report::attack(attack, &outcome));
            attacks += 1;
            wrong += usize::from(outcome.complaint.is_some());
        }
    }
    println!("\nwhat only the device can see: a program that divides by zero");
    println!("      {}", service::fault(device)?);
    tour.check_memory()?;
    service::serve(device)?;
    println!(
        "\n{} of {attacks} programs were refused as they should be",
        attacks - wrong
    );
    if wrong == 0 {
        println!("for them nothing was mapped, copied or held, and no byte changed in the buffer, before or behind it");
    }
    println!("the good program runs as before");
    Ok(wrong)
}
