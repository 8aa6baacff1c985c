//! Sends attacks to a driver, and looks at what they changed.

use hawser::transport::TransportError;
use hawser::{Device, Ending, Error, Failed, Program, Transport};

use crate::attack::{Attack, Given};
use crate::ground::{Ground, Traces};

/// A driver under attack.
pub struct Tour<'d, T: Transport> {
    device: &'d Device<T>,
    ground: Ground<T::Buffer>,
    traces: Traces,
    next_cookie: u64,
}

/// How an attack ended.
pub struct Outcome {
    /// What the driver answered; nothing if the program ran.
    pub ending: Option<Box<Ending>>,
    /// What is wrong about it.
    pub complaint: Option<String>,
}

impl<'d, T: Transport> Tour<'d, T> {
    /// A tour of this device.
    pub fn new(device: &'d Device<T>) -> Result<Self, Error> {
        Ok(Self {
            device,
            ground: Ground::new(device)?,
            traces: Traces::of(device)?,
            next_cookie: 1 << 32,
        })
    }

    /// Sends an attack and looks at its end.
    pub fn attack(&mut self, attack: &Attack) -> Result<Outcome, Error> {
        let buffer = match attack.buffer {
            Given::Target => self.ground.take(),
            Given::Own(length) => Some(self.allocate(length)?),
            Given::Nothing => None,
        };
        // A cookie of its own: the record can be that of no other attack.
        self.next_cookie += 1;
        let program = Program::from_bytes(attack.program.clone()).with_cookie(self.next_cookie);
        let ended = self.device.submit_bytes(program.into_bytes(), buffer);
        let (buffer, ending) = match ended.and_then(|pending| pending.wait()) {
            Ok(finished) => (Some(finished.buffer), None),
            Err(Failed {
                error: Error::Ended(ending),
                buffer,
            }) => (buffer, Some(ending)),
            Err(failed) => return Err(failed.into()),
        };
        if matches!(attack.buffer, Given::Target) {
            self.ground.give_back(buffer);
        }
        let complaint = self.complaint(attack, ending.as_deref())?;
        Ok(Outcome { ending, complaint })
    }

    /// Fails where memory of the process was changed.
    pub fn check_memory(&self) -> Result<(), String> {
        self.ground.check()
    }

    fn allocate(&self, length: u64) -> Result<T::Buffer, TransportError> {
        let length = usize::try_from(length).map_err(|error| TransportError::new("allocating a buffer", error))?;
        self.device.allocate(length)
    }

    /// What is wrong about the end of an attack, if anything is.
    fn complaint(&self, attack: &Attack, ending: Option<&Ending>) -> Result<Option<String>, Error> {
        let Some(ending) = ending else {
            return Ok(Some("the driver ran the program".into()));
        };
        if let Err(complaint) = attack.expected.check(ending).and_then(|()| self.ground.check()) {
            return Ok(Some(complaint));
        }
        let traces = Traces::of(self.device)?;
        Ok((traces != self.traces).then(|| format!("it left traces: {traces:?} instead of {:?}", self.traces)))
    }
}

#[cfg(all(test, not(windows)))]
mod tests {
    use hawser::transport::simulated::{Access, Machine, SimConfig};
    use hawser_abi::op::{ElementType, Opcode};
    use hawser_abi::program::OperandIndex;
    use hawser_abi::reason::Reason;

    use super::*;
    use crate::attack::{Expected, refused};
    use crate::draft::{DATA, IMMEDIATE, data, program, step};

    /// What is said about a program that fills `count` bytes of the target from its second byte on.
    fn complaint(count: u64, expected: Expected) -> Option<String> {
        let machine = Machine::start(&SimConfig::default()).unwrap();
        let device = machine.open(Access::ReadWrite).unwrap();
        let mut tour = Tour::new(&device).unwrap();
        let filling = program(&[step(Opcode::Fill, ElementType::U8, count, [data(1), IMMEDIATE])]);
        let outcome = tour.attack(&Attack::new("fills", filling, expected)).unwrap();
        outcome.complaint
    }

    fn out_of_bounds(limit: u64) -> Expected {
        refused(Reason::OutOfBounds)
            .operand(0, OperandIndex::Dst)
            .numbers(1, DATA, limit)
    }

    #[test]
    fn a_refusal_is_compared_in_all_that_it_says() {
        assert_eq!(complaint(DATA, out_of_bounds(DATA)), None);
        let wrong = [
            out_of_bounds(DATA + 1),
            out_of_bounds(DATA).step(1),
            out_of_bounds(DATA).operand(0, OperandIndex::A),
            out_of_bounds(DATA).numbers(0, DATA, DATA),
            out_of_bounds(DATA).numbers(1, DATA - 1, DATA),
            out_of_bounds(DATA).more_than(DATA),
            refused(Reason::OffsetOverflow)
                .operand(0, OperandIndex::Dst)
                .numbers(1, DATA, DATA),
        ];
        for expected in wrong {
            let complaint = complaint(DATA, expected).expect("a complaint");
            assert!(complaint.starts_with("expected Expected"), "{complaint}");
        }
    }

    #[test]
    fn a_program_that_is_not_refused_is_noticed() {
        assert_eq!(
            complaint(DATA - 1, out_of_bounds(DATA)).as_deref(),
            Some("the driver ran the program")
        );
    }

    #[test]
    fn a_program_that_reached_the_device_leaves_traces() {
        let machine = Machine::start(&SimConfig::default()).unwrap();
        let device = machine.open(Access::ReadWrite).unwrap();
        let before = Traces::of(&device).unwrap();
        assert_eq!(Traces::of(&device).unwrap(), before);
        crate::service::serve(&device).unwrap();
        assert_ne!(Traces::of(&device).unwrap(), before);
    }
}
