//! The watch over deadlines. One timer looks at all commands on the device, several times a second, and rests while there are none.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use kmdf::{Instant, NewDevice, Result, Timer, TimerOps};

use crate::device::Device;
use crate::{map, teardown};

/// How often deadlines are looked at: a program may run so much longer than its time.
const INTERVAL: Duration = Duration::from_millis(100);

/// The timer.
#[derive(Debug)]
pub struct Watchdog {
    timer: Timer,
    awake: AtomicBool,
}

impl Watchdog {
    /// A watch that rests.
    pub fn new(device: &NewDevice<'_>) -> Result<Self> {
        Ok(Self {
            timer: device.timer::<Look>()?,
            awake: AtomicBool::new(false),
        })
    }

    /// Stops the watch and waits for a look under way. `PASSIVE_LEVEL`.
    pub fn rest(&self) {
        self.timer.stop();
        self.awake.store(false, Ordering::SeqCst);
    }

    fn wake(&self) {
        if !self.awake.swap(true, Ordering::SeqCst) {
            self.timer.start(INTERVAL);
        }
    }
}

/// A command was given to the device. `IRQL <= DISPATCH_LEVEL`.
pub fn watch(device: &Device) {
    device.watchdog.wake();
}

/// Looks at the deadlines.
#[derive(Debug)]
struct Look;

impl TimerOps for Look {
    type Device = Device;

    fn expired(device: &Device) {
        if device.slots.any_overdue(Instant::now()) {
            teardown::request(device);
        }
        // Where the device has failed, what holds map registers may never release them.
        map::look_again(device);
        device.watchdog.awake.store(false, Ordering::SeqCst);
        // A command that came before the flag fell is seen here; one that comes after it wakes the watch itself.
        if device.slots.on_device() > 0 {
            device.watchdog.wake();
        }
    }
}
