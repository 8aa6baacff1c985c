//! A host made of one block of memory, which records what the device does to it.

use std::cell::Cell;
use std::ops::Range;

use hawser_device::{BusError, HostBus};

/// Device address of the first byte of memory; below it nothing answers.
pub const BASE: u64 = 0x7_4000_0000;

/// The host.
pub struct TestBus {
    pub memory: Vec<u8>,
    /// Messages sent, in order.
    pub messages: Vec<u16>,
    pub line: bool,
    pub now_ns: Cell<u64>,
    /// Address and length of every write.
    pub writes: Vec<(u64, usize)>,
    /// Address and length of every read.
    pub reads: Vec<(u64, usize)>,
    /// Addresses that are refused.
    pub refused: Vec<Range<u64>>,
}

impl TestBus {
    pub fn new(size: usize) -> Self {
        Self {
            memory: vec![0; size],
            messages: Vec::new(),
            line: false,
            now_ns: Cell::new(0),
            writes: Vec::new(),
            reads: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// The bytes at a device address.
    pub fn at(&mut self, address: u64, length: usize) -> &mut [u8] {
        let range = self.range(address, length).expect("an address of the test's memory");
        &mut self.memory[range]
    }

    /// Accesses so far.
    pub fn accesses(&self) -> usize {
        self.reads.len() + self.writes.len()
    }

    fn range(&self, address: u64, length: usize) -> Result<Range<usize>, BusError> {
        let end = address.checked_add(length as u64).ok_or(BusError)?;
        if self
            .refused
            .iter()
            .any(|range| address < range.end && range.start < end)
        {
            return Err(BusError);
        }
        let start = usize::try_from(address.checked_sub(BASE).ok_or(BusError)?).map_err(|_| BusError)?;
        let end = start.checked_add(length).ok_or(BusError)?;
        (end <= self.memory.len()).then_some(start..end).ok_or(BusError)
    }
}

impl HostBus for TestBus {
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BusError> {
        self.reads.push((address, into.len()));
        let range = self.range(address, into.len())?;
        into.copy_from_slice(&self.memory[range]);
        Ok(())
    }

    fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BusError> {
        self.writes.push((address, from.len()));
        let range = self.range(address, from.len())?;
        self.memory[range].copy_from_slice(from);
        Ok(())
    }

    fn message(&mut self, vector: u16) {
        self.messages.push(vector);
    }

    fn line(&mut self, asserted: bool) {
        assert_ne!(self.line, asserted, "the line is set only when it changes");
        self.line = asserted;
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }
}
