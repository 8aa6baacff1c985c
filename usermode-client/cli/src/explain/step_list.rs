//! Some of the steps of a program, of which the first are named and the others counted.

use serde::Serialize;

use crate::program_file::ProgramFile;
use crate::text::grouped;

/// Steps that are named.
const NAMED: usize = 8;

/// Steps, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StepList {
    /// The first of them.
    pub steps: Vec<u32>,
    /// All of them.
    pub count: u64,
    /// The last of them, named or not.
    #[serde(skip)]
    last: Option<u32>,
}

impl StepList {
    /// Adds a step, unless it is the last one already.
    pub fn add(&mut self, step: u32) {
        if self.last == Some(step) {
            return;
        }
        self.last = Some(step);
        self.count += 1;
        if self.steps.len() < NAMED {
            self.steps.push(step);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The steps in words, with their lines.
    pub fn words(&self, file: &ProgramFile) -> String {
        let name = |step: &u32| match file.line(*step) {
            Some(line) => format!("{step} ({line})"),
            None => step.to_string(),
        };
        let names: Vec<String> = self.steps.iter().map(name).collect();
        let more = self.count - names.len() as u64;
        let word = if self.count == 1 { "step" } else { "steps" };
        match more {
            0 => format!("{word} {}", names.join(", ")),
            _ => format!("{word} {}, and {} more", names.join(", "), grouped(more)),
        }
    }
}

impl FromIterator<u32> for StepList {
    fn from_iter<I: IntoIterator<Item = u32>>(steps: I) -> Self {
        let mut list = Self::default();
        steps.into_iter().for_each(|step| list.add(step));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_steps_are_named_and_all_are_counted() {
        let list: StepList = [3, 3, 4].into_iter().collect();
        assert_eq!((list.steps, list.count), (vec![3, 4], 2));
        let list: StepList = (0..100).flat_map(|step| [step, step]).collect();
        assert_eq!((list.steps, list.count), ((0..8).collect(), 100));
    }
}
