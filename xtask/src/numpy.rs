//! Round trip of real `.npy` files: NumPy writes the inputs, the command runs the example, NumPy compares the output.

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

const MODELS: [&str; 3] = ["flat", "scrambled", "iommu"];
/// Set where a missing NumPy is to be skipped instead of failing.
const SKIP_VARIABLE: &str = "HAWSER_SKIP_NUMPY";

const WRITE: &str = "
import numpy, sys
rng = numpy.random.default_rng(2718)
numpy.save(sys.argv[1], rng.standard_normal(1048576, dtype=numpy.float32))
numpy.save(sys.argv[2], rng.standard_normal(1048576, dtype=numpy.float32))
";

const COMPARE: &str = "
import numpy, sys
x, y, got = (numpy.load(name) for name in sys.argv[1:4])
# The product of two f32 is exact in f64, and the sum is then rounded once to f64 and once to f32: within one unit of the fused result.
expected = (x.astype(numpy.float64) * 2.5 + y.astype(numpy.float64)).astype(numpy.float32)
assert got.dtype == numpy.float32 and got.shape == expected.shape, (got.dtype, got.shape)
assert (numpy.abs(got - expected) <= numpy.spacing(numpy.abs(expected))).all()
assert not (got == y).all()
print('NumPy agrees on', got.size, 'elements')
";

/// Runs the example on files that NumPy wrote, in every memory model.
pub fn run(shell: &Shell) -> Result<()> {
    let Some(python) = python_with_numpy(shell)? else {
        if shell.var(SKIP_VARIABLE).is_ok() {
            println!("SKIPPED: no NumPy, and {SKIP_VARIABLE} is set");
            return Ok(());
        }
        bail!("NumPy cannot be installed (python3 -m venv, pip install numpy); set {SKIP_VARIABLE}=1 to go without");
    };
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let (x, y, out) = (file("x.npy"), file("y.npy"), file("out.npy"));
    cmd!(shell, "{python} -c {WRITE} {x} {y}").quiet().run()?;
    for model in MODELS {
        let bind_x = format!("x={}", x.display());
        let bind_y = format!("y={}", y.display());
        let out_y = format!("y={}", out.display());
        cmd!(
            shell,
            "cargo hawser run examples/saxpy.hws --memory {model} --bind {bind_x} --bind {bind_y} --out {out_y}"
        )
        .ignore_stdout()
        .run()?;
        cmd!(shell, "{python} -c {COMPARE} {x} {y} {out}")
            .quiet()
            .run()
            .context("NumPy found a difference")?;
        shell.remove_path(&out)?;
    }
    Ok(())
}

/// A Python that can import NumPy: the system's, or one in a virtual environment below `target`.
fn python_with_numpy(shell: &Shell) -> Result<Option<String>> {
    let venv = "target/numpy-venv";
    let own = format!("{venv}/bin/python");
    for python in ["python3", own.as_str()] {
        if cmd!(shell, "{python} -c 'import numpy'")
            .quiet()
            .ignore_stderr()
            .run()
            .is_ok()
        {
            return Ok(Some(python.to_owned()));
        }
    }
    if cmd!(shell, "python3 -m venv {venv}").run().is_err() {
        return Ok(None);
    }
    let installed = cmd!(shell, "{own} -m pip install --quiet --disable-pip-version-check numpy")
        .run()
        .is_ok();
    Ok(installed.then_some(own))
}
