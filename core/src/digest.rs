//! Sums up what the steps of a program read and write of the data buffer.

use wide::{i32x4, u32x4};

use crate::intervals::{Interval, IntervalLog, SCRATCH_BASE};
use crate::trusted::Row;

/// A run of bytes for each operand, which the last rows reached with it, as long as each touched what those before had reached.
///
/// So operands that walk through memory, as those of most programs do, end up as one interval each, with nothing to sort.
#[derive(Clone, Copy)]
struct Runs {
    start: i32x4,
    end: i32x4,
}

/// Adds what the rows reach to the logs.
#[inline(never)]
pub(crate) fn digest(rows: &[Row], reads: &mut IntervalLog<'_>, writes: &mut IntervalLog<'_>) {
    let mut runs = Runs {
        start: i32x4::ZERO,
        end: i32x4::ZERO,
    };
    let mut add = |runs: Runs, lanes: u32| {
        let [written, read @ ..] = runs.intervals();
        writes.add([written], lanes);
        reads.add(read, lanes >> 1);
    };
    let mut starts = i32x4::ZERO;
    for row in rows {
        let (next, ended) = runs.go_on(row);
        if ended != 0 {
            add(runs, ended);
        }
        starts |= next.start;
        runs = next;
    }
    add(runs, runs.lanes());
    let [written, read @ ..] = starts.to_array();
    writes.begins_among(written as u32);
    reads.begins_among(read.into_iter().fold(0, |all, starts| all | starts) as u32);
}

impl Runs {
    /// The runs after a row, and which of these have ended, as bits.
    #[inline(always)]
    fn go_on(self, row: &Row) -> (Self, u32) {
        let (start, end) = (i32x4::new(row.start), i32x4::new(row.end));
        // What lies nowhere is empty, and what does not lie in the data buffer begins behind all of it.
        let in_data = start.simd_lt(end) & start.simd_lt(i32x4::splat(SCRATCH_BASE as i32));
        let apart = (start.simd_gt(self.end) | self.start.simd_gt(end)) & in_data;
        let (earlier, later) = (self.start.simd_gt(start) & in_data, end.simd_gt(self.end) & in_data);
        let next = Self {
            start: (apart | earlier).select(start, self.start),
            end: (apart | later).select(end, self.end),
        };
        (next, apart.to_bitmask() & self.lanes())
    }

    /// Those that are not empty, as bits.
    #[inline(always)]
    fn lanes(self) -> u32 {
        self.end.simd_gt(i32x4::ZERO).to_bitmask()
    }

    #[inline(always)]
    fn intervals(self) -> [Interval; 4] {
        let [start, end]: [u32x4; 2] = [self.start, self.end].map(bytemuck::cast);
        // The end is the lower half of an interval.
        let halves: [[u64; 2]; 2] = [end.unpack_lo(start), end.unpack_hi(start)].map(bytemuck::cast);
        zerocopy::transmute!(halves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::SortBench;
    use crate::sort::COUNTS;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    const LENGTH: usize = 300;

    fn interval() -> impl Strategy<Value = Interval> {
        let data = (0_u32..250, 1_u32..40).prop_map(|(start, length)| Interval::new(start, start + length));
        let scratch = (0_u32..250, 1_u32..40)
            .prop_map(|(start, length)| Interval::new(SCRATCH_BASE + start, SCRATCH_BASE + start + length));
        prop_oneof![3 => data, 1 => scratch, 1 => Just(Interval::EMPTY)]
    }

    fn bytes(intervals: &[Interval]) -> [bool; LENGTH] {
        let mut reached = [false; LENGTH];
        for interval in intervals.iter().filter(|interval| interval.start() < SCRATCH_BASE) {
            reached[interval.start() as usize..interval.end() as usize].fill(true);
        }
        reached
    }

    proptest! {
        #[test]
        fn all_that_is_reached_in_the_data_buffer_is_in_the_logs(rows in proptest::collection::vec([interval(), interval(), interval(), interval()], 0..60)) {
            let (mut reads, mut writes) = (vec![Interval::EMPTY; 3 * rows.len()], vec![Interval::EMPTY; rows.len()]);
            let (mut reads, mut writes) = (IntervalLog::new(&mut reads), IntervalLog::new(&mut writes));
            let places = rows.iter().map(|row| Row {
                start: row.map(|interval| interval.start() as i32),
                end: row.map(|interval| interval.end() as i32),
            });
            digest(&places.collect::<Vec<_>>(), &mut reads, &mut writes);
            let (mut spare, mut counts) = (vec![Interval::EMPTY; 3 * rows.len()], vec![0; COUNTS]);
            let mut bench = SortBench { spare: &mut spare, counts: &mut counts };
            let written: Vec<_> = rows.iter().map(|row| row[0]).collect();
            let read: Vec<_> = rows.iter().flat_map(|row| row[1..].to_vec()).collect();
            for log in [&mut writes, &mut reads] {
                let starts = log.starts();
                prop_assert!(log.sorted(&mut bench).iter().all(|interval| interval.start() & !starts == 0));
            }
            prop_assert_eq!(bytes(writes.sorted(&mut bench)), bytes(&written));
            prop_assert_eq!(bytes(reads.sorted(&mut bench)), bytes(&read));
        }
    }
}
