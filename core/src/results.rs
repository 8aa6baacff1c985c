//! The records of a handle's last submissions, by cookie.

use hawser_abi::result::{KEPT_RESULTS, NOT_APPLICABLE, ResultRecord, VERSION, state};
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// Why a submission cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginError {
    /// A submission with this cookie is in flight.
    CookieInUse,
    /// Every record belongs to a submission in flight.
    Full,
}

/// One submission's record. A ticket outlives its record without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    index: u16,
    number: u64,
}

/// What is known of a record without looking into it.
#[derive(Clone, Copy, Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Label {
    cookie: u64,
    /// Number of the submission on its handle, counted from 1; 0 for a record that was never used.
    number: u64,
    /// Not 0 until the submission has been completed.
    in_flight: u64,
}

/// The last [`KEPT_RESULTS`] submissions of a handle. Zeroed memory is an empty table.
///
/// At more than 10 KiB it does not belong on a kernel stack: it is made in place, in zeroed memory.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ResultTable {
    submissions: u64,
    labels: [Label; KEPT_RESULTS],
    records: [ResultRecord; KEPT_RESULTS],
}

impl ResultTable {
    /// An empty table.
    pub const fn new() -> Self {
        zerocopy::transmute!([0_u8; size_of::<Self>()])
    }

    /// Enters a submission. It takes the record of an earlier one with its cookie, or else the oldest that is not in flight.
    pub fn begin(&mut self, cookie: u64) -> Result<Ticket, BeginError> {
        let namesake = self.find(cookie);
        if namesake.is_some_and(|(_, label)| label.in_flight != 0) {
            return Err(BeginError::CookieInUse);
        }
        let oldest = || {
            self.labels
                .iter()
                .enumerate()
                .filter(|(_, l)| l.in_flight == 0)
                .min_by_key(|(_, l)| l.number)
        };
        let (index, _) = namesake.or_else(oldest).ok_or(BeginError::Full)?;
        let number = self.submissions.saturating_add(1);
        self.submissions = number;
        if let (Some(label), Some(record)) = (self.labels.get_mut(index), self.records.get_mut(index)) {
            *label = Label {
                cookie,
                number,
                in_flight: 1,
            };
            *record = in_flight(cookie);
        }
        Ok(Ticket {
            index: u16::try_from(index).unwrap_or(u16::MAX),
            number,
        })
    }

    /// Stores the record of a submission that has been completed. Size, version, cookie and state are set here. Returns whether the
    /// submission was in flight.
    pub fn complete(&mut self, ticket: Ticket, record: &ResultRecord) -> bool {
        let index = usize::from(ticket.index);
        let (Some(label), Some(place)) = (self.labels.get_mut(index), self.records.get_mut(index)) else {
            return false;
        };
        if label.number != ticket.number || label.in_flight == 0 {
            return false;
        }
        label.in_flight = 0;
        *place = ResultRecord {
            state: state::COMPLETED,
            ..*record
        };
        (place.size, place.version, place.cookie) = (size_of::<ResultRecord>() as u32, VERSION, label.cookie);
        true
    }

    /// The record of the last submission with this cookie, as long as it is kept.
    pub fn lookup(&self, cookie: u64) -> Option<&ResultRecord> {
        let (index, _) = self.find(cookie)?;
        self.records.get(index)
    }

    fn find(&self, cookie: u64) -> Option<(usize, &Label)> {
        self.labels
            .iter()
            .enumerate()
            .find(|(_, label)| label.number != 0 && label.cookie == cookie)
    }
}

impl Default for ResultTable {
    fn default() -> Self {
        Self::new()
    }
}

/// The record of a submission of which nothing is known yet.
fn in_flight(cookie: u64) -> ResultRecord {
    ResultRecord {
        size: size_of::<ResultRecord>() as u32,
        version: VERSION,
        cookie,
        state: state::IN_FLIGHT,
        step: NOT_APPLICABLE,
        operand: NOT_APPLICABLE,
        ..ResultRecord::new_zeroed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn record(status: u32) -> ResultRecord {
        ResultRecord {
            status,
            ..ResultRecord::new_zeroed()
        }
    }

    #[test]
    fn a_record_is_in_flight_until_it_is_completed() {
        let mut table = ResultTable::new();
        assert_eq!(table.lookup(0), None, "an empty table knows no cookie, not even 0");
        let ticket = table.begin(0).expect("the table is empty");
        let found = *table.lookup(0).expect("it is in flight");
        assert_eq!(
            (found.size, found.version, found.state),
            (168, VERSION, state::IN_FLIGHT)
        );
        assert_eq!((found.step, found.operand), (NOT_APPLICABLE, NOT_APPLICABLE));
        assert_eq!(table.begin(0), Err(BeginError::CookieInUse));
        assert!(table.complete(ticket, &record(5)));
        assert!(!table.complete(ticket, &record(6)), "completed already");
        let found = *table.lookup(0).expect("it is kept");
        assert_eq!(
            (found.size, found.cookie, found.state, found.status),
            (168, 0, state::COMPLETED, 5)
        );
        let again = table.begin(0).expect("the cookie is free again");
        assert!(!table.complete(ticket, &record(7)), "an earlier submission");
        assert!(table.complete(again, &record(8)));
        assert_eq!(table.lookup(0).map(|found| found.status), Some(8));
    }

    #[test]
    fn a_table_full_of_submissions_in_flight_takes_no_more() {
        let mut table = ResultTable::new();
        let tickets: Vec<_> = (0..64)
            .map(|cookie| table.begin(cookie).expect("there is room"))
            .collect();
        assert_eq!(table.begin(64), Err(BeginError::Full));
        assert!(table.complete(tickets[7], &record(0)));
        assert!(table.begin(64).is_ok());
        assert_eq!(table.lookup(7), None);
    }

    proptest! {
        #[test]
        fn the_last_64_submissions_are_kept(
            operations in proptest::collection::vec((any::<bool>(), 0_u64..90, any::<prop::sample::Index>()), 0..400)
        ) {
            let mut table = ResultTable::new();
            // In order of submission: cookie, ticket, status once completed.
            let mut model: Vec<(u64, Ticket, Option<u32>)> = Vec::new();
            for (number, (begin, cookie, index)) in operations.into_iter().enumerate() {
                if begin {
                    let in_flight = |entry: &(u64, Ticket, Option<u32>)| entry.2.is_none();
                    match table.begin(cookie) {
                        Ok(ticket) => {
                            model.retain(|entry| entry.0 != cookie);
                            if model.len() == KEPT_RESULTS {
                                let oldest = model.iter().position(|entry| entry.2.is_some()).expect("one is completed");
                                model.remove(oldest);
                            }
                            model.push((cookie, ticket, None));
                        }
                        Err(BeginError::CookieInUse) => {
                            prop_assert!(model.iter().filter(|e| in_flight(e)).any(|entry| entry.0 == cookie));
                        }
                        Err(BeginError::Full) => {
                            prop_assert_eq!(model.iter().filter(|e| in_flight(e)).count(), KEPT_RESULTS);
                        }
                    }
                } else if !model.is_empty() {
                    let position = index.index(model.len());
                    let entry = &mut model[position];
                    prop_assert_eq!(table.complete(entry.1, &record(number as u32)), entry.2.is_none());
                    entry.2.get_or_insert(number as u32);
                }
                for cookie in 0..90 {
                    let known = model.iter().find(|entry| entry.0 == cookie);
                    let found = table.lookup(cookie);
                    prop_assert_eq!(found.is_some(), known.is_some());
                    if let (Some(found), Some(known)) = (found, known) {
                        prop_assert_eq!(found.cookie, cookie);
                        prop_assert_eq!((found.state == state::IN_FLIGHT, found.status), (known.2.is_none(), known.2.unwrap_or(0)));
                    }
                }
            }
        }
    }
}
