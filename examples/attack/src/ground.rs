//! The ground on which attacks take place: a data buffer with known contents, other memory of the process before and behind it, and what the
//! driver says that it has done so far.

use hawser::transport::TransportError;
use hawser::{Buffer, Device, Error, Transport};
use hawser_abi::info::Stats;

use crate::draft::DATA;

/// Where the target begins in its page: it shares its first and its last page with others.
const PAGE_OFFSET: usize = 1024;

/// The data buffer that attacks are given, and memory on either side of it.
pub struct Ground<B> {
    before: B,
    target: Option<B>,
    behind: B,
}

impl<B: Buffer> Ground<B> {
    /// Three buffers, made one after another and filled.
    pub fn new<T: Transport<Buffer = B>>(device: &Device<T>) -> Result<Self, TransportError> {
        let filled = || {
            let mut buffer = device.allocate_at(DATA as usize, PAGE_OFFSET)?;
            let written = buffer.write(0, &pattern());
            written.map_err(|error| TransportError::new("filling a buffer", error))?;
            Ok(buffer)
        };
        Ok(Self {
            before: filled()?,
            target: Some(filled()?),
            behind: filled()?,
        })
    }

    /// The data buffer, to be given to an attack.
    pub fn take(&mut self) -> Option<B> {
        self.target.take()
    }

    /// The data buffer, as an attack left it.
    pub fn give_back(&mut self, target: Option<B>) {
        self.target = target;
    }

    /// Fails where a byte of the three has changed, or the target has not come back.
    pub fn check(&self) -> Result<(), String> {
        let target = self.target.as_ref().ok_or("the data buffer has not come back")?;
        let places = [
            ("before the data buffer", &self.before),
            ("in the data buffer", target),
            ("behind the data buffer", &self.behind),
        ];
        for (place, buffer) in places {
            let mut found = vec![0; buffer.len()];
            buffer.read(0, &mut found).map_err(|error| error.to_string())?;
            if let Some(at) = found.iter().zip(pattern()).position(|(found, was)| *found != was) {
                return Err(format!("byte {at} {place} has changed"));
            }
        }
        Ok(())
    }
}

/// Bytes that differ from those beside them.
fn pattern() -> Vec<u8> {
    (0..DATA).map(|at| (at.wrapping_mul(167) ^ (at >> 8)) as u8).collect()
}

/// What a refused program must not change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traces {
    mapped: u64,
    copied: u64,
    arena: u64,
    resources: [u64; 6],
}

impl Traces {
    /// What the driver has mapped and copied so far, and what it holds now.
    pub fn of<T: Transport>(device: &Device<T>) -> Result<Self, Error> {
        device.stats().map(|stats| Self::from(&stats))
    }
}

impl From<&Stats> for Traces {
    fn from(stats: &Stats) -> Self {
        Self {
            mapped: stats.bytes_mapped,
            copied: stats.bytes_copied,
            arena: stats.arena_used,
            resources: stats.ledger.map(|entry| entry.live),
        }
    }
}

#[cfg(test)]
mod tests {
    use hawser::transport::OutsideBuffer;

    use super::*;

    struct Memory(Vec<u8>);

    impl Buffer for Memory {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), OutsideBuffer> {
            OutsideBuffer::check(offset, into.len(), self.len())?;
            into.copy_from_slice(&self.0[offset..offset + into.len()]);
            Ok(())
        }

        fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutsideBuffer> {
            OutsideBuffer::check(offset, from.len(), self.len())?;
            self.0[offset..offset + from.len()].copy_from_slice(from);
            Ok(())
        }
    }

    #[test]
    fn a_changed_byte_is_found_wherever_it_is() {
        let memory = || Memory(pattern());
        let fresh = || Ground {
            before: memory(),
            target: Some(memory()),
            behind: memory(),
        };
        fresh().check().unwrap();
        let mut ground = fresh();
        ground.before.0[4095] ^= 1;
        assert_eq!(
            ground.check().unwrap_err(),
            "byte 4095 before the data buffer has changed"
        );
        let mut ground = fresh();
        ground.behind.0[0] ^= 128;
        assert_eq!(ground.check().unwrap_err(), "byte 0 behind the data buffer has changed");
        let mut ground = fresh();
        let mut target = ground.take().unwrap();
        assert!(ground.check().is_err());
        target.0[7] ^= 2;
        ground.give_back(Some(target));
        assert_eq!(ground.check().unwrap_err(), "byte 7 in the data buffer has changed");
    }
}
