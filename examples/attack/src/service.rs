//! What the driver still has to do between and after attacks: run good programs, and end those that fail on the device.

use hawser::{Device, Error, Failed, ProgramBuilder, Transport};
use hawser_abi::program::OperandIndex;
use hawser_abi::reason::Reason;

/// Elements that the programs work on.
const COUNT: u64 = 1024;
/// Where the divisor is zero.
const ZERO: usize = 700;

/// Runs `y = 2 x + 1` by way of device-local memory, where the products stay behind. Fails where a result is wrong.
pub fn serve<T: Transport>(device: &Device<T>) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = ProgramBuilder::new();
    let x = builder.array::<f32>(COUNT)?;
    let y = builder.array::<f32>(COUNT)?;
    let product = builder.scratch::<f32>(COUNT)?;
    builder.mul(product, x, 2.0)?.add(y, product, 1.0)?;
    let program = builder.build()?;
    let mut buffer = device.buffer_for(&program)?;
    let values: Vec<f32> = (0..COUNT).map(|value| value as f32).collect();
    x.store(&mut buffer, &values)?;
    let finished = device.run(&program, buffer).map_err(Error::from)?;
    let expected: Vec<f32> = values.iter().map(|value| 2.0 * value + 1.0).collect();
    if y.load(&finished.buffer)? == expected {
        Ok(())
    } else {
        Err("a good program had a wrong result".into())
    }
}

/// Runs a program that divides by zero, which only the device can see. Says how it ended; fails if not as the contract says.
pub fn fault<T: Transport>(device: &Device<T>) -> Result<String, Box<dyn std::error::Error>> {
    let mut builder = ProgramBuilder::new();
    let x = builder.array::<i32>(COUNT)?;
    let y = builder.array::<i32>(COUNT)?;
    let quotient = builder.array::<i32>(COUNT)?;
    builder.div(quotient, x, y)?;
    let program = builder.build()?;
    let mut buffer = device.buffer_for(&program)?;
    let mut divisors = [3; COUNT as usize];
    divisors[ZERO] = 0;
    y.store(&mut buffer, &divisors)?;
    let Err(Failed {
        error: Error::Ended(ending),
        ..
    }) = device.run(&program, buffer)
    else {
        return Err("a division by zero did not end the program".into());
    };
    let place = ending.record.map(|record| record.offset);
    let found = (ending.reason(), ending.step_index(), ending.operand(), place);
    // A fault names the place within the operand.
    let divisor = 4 * ZERO as u64;
    if found
        == (
            Some(Reason::DivideByZero),
            Some(0),
            Some(OperandIndex::B),
            Some(divisor),
        )
    {
        Ok(ending.to_string())
    } else {
        Err(format!("a division by zero ended with {ending}").into())
    }
}
