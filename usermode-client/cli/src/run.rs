//! `hawser run`: runs a program, shows what happened to it, and verifies the result.

use hawser::language::Compiled;
use hawser::transport::Transport;
use hawser::{Device, Error, Finished, Pending};
use hawser_core::Refusal;

use crate::args::{Output, RunArgs};
use crate::array_file;
use crate::bindings::{self, BoundArray};
use crate::connection::{Connection, Need, Place, pause};
use crate::data;
use crate::exit::Exit;
use crate::failure::{Failure, tell_ending};
use crate::npy::NpyArray;
use crate::plan_report::PlanReport;
use crate::program_file::ProgramFile;
use crate::progress::{Phase, Watch};
use crate::raw_data::{RawData, RawDataReport};
use crate::report::{ArrayReport, ProgramReport, ResultReport, RunReport, SCHEMA, verification_json};
use crate::say::say;
use crate::show;
use crate::verify::{Verification, verify};

/// Runs a program.
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let file = ProgramFile::load(&args.file)?;
    let arrays = bindings::bind(&file.compiled, &args.bind, &args.out)?;
    file.check_data_size()?;
    let raw = RawData::open(args, &file)?;
    let connection = Connection::open(&args.device, Need::Programs)?;
    let job = Job {
        file: &file,
        arrays: &arrays,
        raw: &raw,
        place: connection.place(),
        output: args.device.json.into(),
        verify: if args.no_verify { Verify::Skip } else { Verify::Compare },
    };
    let done = job.execute(connection.device());
    let place = connection.place().clone();
    // The machine is shut down whatever happened: a leak matters even where the program failed.
    let shutdown = connection.close();
    let done = done?;
    let shutdown = shutdown?;
    let exit = done.exit();
    match Output::from(args.device.json) {
        Output::Text => shutdown.iter().for_each(show::shutdown),
        Output::Json => {
            let report = RunReport {
                schema: SCHEMA,
                exit: exit as u8,
                file: file.name.clone(),
                machine: place,
                program: ProgramReport::new(&file),
                arrays: done.arrays,
                data: done.data,
                plan: done.plan,
                result: done.result,
                verification: verification_json(&done.verification),
                shutdown,
            };
            let json = serde_json::to_string_pretty(&report);
            say!("{}", json.map_err(Failure::unprintable)?);
        }
    }
    Ok(exit)
}

/// Whether the result is compared with the reference interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verify {
    Compare,
    Skip,
}

/// What is to be run.
struct Job<'a> {
    file: &'a ProgramFile,
    arrays: &'a [BoundArray],
    raw: &'a RawData,
    place: &'a Place,
    output: Output,
    verify: Verify,
}

/// What came of it.
struct Done {
    arrays: Vec<ArrayReport>,
    data: Option<RawDataReport>,
    plan: Option<PlanReport>,
    result: ResultReport,
    verification: Verification,
}

impl Done {
    fn exit(&self) -> Exit {
        match self.verification {
            _ if self.result.status != 0 => Exit::Device,
            Verification::Verified | Verification::Skipped => Exit::Success,
            Verification::Differs(_) | Verification::NoReference(_) => Exit::Mismatch,
        }
    }
}

impl Job<'_> {
    fn execute<T: Transport>(&self, device: &Device<T>) -> Result<Done, Failure> {
        let arrays: Vec<_> = self.arrays.iter().map(ArrayReport::new).collect();
        let plan = self.compiled().program.inspect(&device.limits()?);
        self.show_beginning(&arrays, &plan);
        let plan = plan
            .ok()
            .map(|inspection| PlanReport::new(self.compiled(), &inspection));
        let size = self.compiled().program.data_size();
        let image = match &self.raw.initial {
            Some((_, content)) => content.clone(),
            None => data::initial(self.arrays, size as usize),
        };
        let mut buffer = device.buffer_for(&self.compiled().program)?;
        data::store(&image, &mut buffer, &Phase::bytes("filling", size)).map_err(lost)?;
        match wait(device.submit(&self.compiled().program, buffer).map_err(Error::from)?) {
            Ok(finished) => self.finished(device, Started { arrays, plan, image }, finished),
            Err(Error::Ended(ending)) => {
                let result = ResultReport::ended(&ending, self.file);
                self.show_refusal(&result);
                Ok(Done {
                    arrays,
                    data: self.raw.report(self.file),
                    plan,
                    result,
                    verification: Verification::Skipped,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn compiled(&self) -> &Compiled {
        &self.file.compiled
    }

    fn finished<T: Transport>(
        &self,
        device: &Device<T>,
        started: Started,
        finished: Finished<T::Buffer>,
    ) -> Result<Done, Failure> {
        let Started {
            mut arrays,
            plan,
            image,
        } = started;
        let record = device.result(finished.cookie)?;
        let size = image.len() as u64;
        let mut result = data::load(&finished.buffer, &Phase::bytes("reading", size)).map_err(lost)?;
        drop(finished);
        for (report, bound) in arrays.iter_mut().zip(self.arrays) {
            let bytes = data::place_of(bound, &mut result);
            report.show(bound, bytes);
            report.written_to = write(bound, bytes)?;
        }
        let mut data = self.raw.report(self.file);
        if let Some(report) = &mut data {
            self.raw.finish(&result, report).map_err(Failure::Output)?;
        }
        let verification = match self.verify {
            Verify::Skip => Verification::Skipped,
            Verify::Compare => {
                let _watch = Watch::over("verifying");
                verify(self.compiled(), image, &result)
            }
        };
        let done = Done {
            arrays,
            data,
            plan,
            result: ResultReport::success(&record),
            verification,
        };
        if self.output == Output::Text {
            self.show_end(&done, size);
        }
        Ok(done)
    }

    fn show_beginning(&self, arrays: &[ArrayReport], plan: &Result<hawser::program::Inspection, Refusal>) {
        if self.output == Output::Json {
            return;
        }
        show::heading(&self.file.name, self.place);
        show::program(&ProgramReport::new(self.file), arrays);
        self.raw.report(self.file).iter().for_each(show::raw_data);
        match plan {
            Ok(inspection) => show::plan(&PlanReport::new(self.compiled(), inspection)),
            Err(refusal) => say!("\nplan        none, the driver will refuse the program: {refusal}"),
        }
    }

    fn show_refusal(&self, result: &ResultReport) {
        if self.output == Output::Json {
            return;
        }
        show::refusal(result);
        if let Some(record) = &result.record {
            show::timeline(record, self.place);
        }
        let label = result.step.and_then(|step| self.file.label(step));
        tell_ending(
            result.message.as_deref().unwrap_or(&result.status_name),
            self.file.source(result.step),
            label,
        );
    }

    fn show_end(&self, done: &Done, size: u64) {
        if let Some(record) = &done.result.record {
            show::timeline(record, self.place);
            if let Some(note) = done.plan.as_ref().and_then(|plan| show::disagreement(plan, record)) {
                say!("  {note}");
            }
        }
        show::outputs(&done.arrays, done.data.as_ref());
        show::verification(&done.verification, size);
    }
}

/// What is known when the request starts.
struct Started {
    arrays: Vec<ArrayReport>,
    plan: Option<PlanReport>,
    /// The data buffer before the run.
    image: Vec<u8>,
}

/// Waits for the end, with something that moves on the terminal where it takes long.
fn wait<T: Transport>(mut pending: Pending<'_, T>) -> Result<Finished<T::Buffer>, Error> {
    let phase = Phase::endless("running");
    while !pending.poll()? {
        phase.tick();
        pause();
    }
    drop(phase);
    Ok(pending.wait()?)
}

/// Writes an array to its file, if it has one.
fn write(bound: &BoundArray, bytes: &[u8]) -> Result<Option<String>, Failure> {
    let Some(path) = &bound.destination else {
        return Ok(None);
    };
    let array = NpyArray {
        shape: bound.shape(),
        bytes: bytes.to_vec(),
    };
    array_file::write(path, bound.array.element, &array).map_err(Failure::Output)?;
    Ok(Some(path.display().to_string()))
}

/// The data buffer is not as long as it was asked to be.
fn lost(error: hawser::transport::OutsideBuffer) -> Failure {
    Connection::failure(hawser::transport::TransportError::new("using the data buffer", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Difference;
    use hawser_abi::reason::Reason;
    use hawser_abi::result::ResultRecord;
    use hawser_device::reference::ReferenceFault;
    use zerocopy::FromZeros;

    fn exit(reason: Reason, verification: Verification) -> Exit {
        let mut record = ResultRecord::new_zeroed();
        record.status = reason.status();
        Done {
            arrays: Vec::new(),
            data: None,
            plan: None,
            result: ResultReport::success(&record),
            verification,
        }
        .exit()
    }

    #[test]
    fn the_exit_status_tells_what_came_of_it() {
        assert_eq!(exit(Reason::None, Verification::Verified), Exit::Success);
        assert_eq!(exit(Reason::None, Verification::Skipped), Exit::Success);
        let difference = Difference {
            offset: 0,
            bytes: 1,
            element: None,
        };
        assert_eq!(exit(Reason::None, Verification::Differs(difference)), Exit::Mismatch);
        let fault = ReferenceFault::Unsupported { step: 0 };
        assert_eq!(exit(Reason::None, Verification::NoReference(fault)), Exit::Mismatch);
        assert_eq!(exit(Reason::DivideByZero, Verification::Skipped), Exit::Device);
    }
}
