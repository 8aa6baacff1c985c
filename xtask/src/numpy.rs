//! Round trips of real `.npy` files: NumPy writes the inputs, the command runs a program, NumPy compares the output. The examples that have a
//! check in Python bring it with them.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::programs::{self, Purpose};

const MODELS: [&str; 4] = ["flat", "scrambled", "iommu", "bounce"];
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

/// Types of the language as NumPy names them.
const TYPES: [(&str, &str); 12] = [
    ("i8", "i1"),
    ("u8", "u1"),
    ("i16", "i2"),
    ("u16", "u2"),
    ("i32", "i4"),
    ("u32", "u4"),
    ("i64", "i8"),
    ("u64", "u8"),
    ("f16", "f2"),
    ("bf16", "u2"),
    ("f32", "f4"),
    ("f64", "f8"),
];

/// Writes an array of three dimensions for each type, in either byte order by turns.
const WRITE_TYPES: &str = "
import numpy, sys
rng = numpy.random.default_rng(314)
for index, dtype in enumerate(sys.argv[2:]):
    order = '<>'[index % 2]
    values = rng.integers(0, 100, (2, 3, 4)).astype(order + dtype)
    numpy.save(f'{sys.argv[1]}/in{index}.npy', values)
";

const COMPARE_TYPES: &str = "
import numpy, sys
for index, dtype in enumerate(sys.argv[2:]):
    written, read = (numpy.load(f'{sys.argv[1]}/{name}{index}.npy') for name in ('in', 'out'))
    assert read.dtype == numpy.dtype('<' + dtype), (read.dtype, dtype)
    assert read.shape == (24,) and (read == written.ravel()).all(), (dtype, read, written)
shaped, was = numpy.load(f'{sys.argv[1]}/shaped.npy'), numpy.load(f'{sys.argv[1]}/in10.npy')
assert shaped.shape == (2, 3, 4) and (shaped == was + 1).all(), shaped
print('NumPy agrees on', len(sys.argv) - 2, 'types')
";

/// Runs programs on files that NumPy wrote.
pub fn run(shell: &Shell) -> Result<()> {
    let Some(python) = python_with_numpy(shell)? else {
        if shell.var(SKIP_VARIABLE).is_ok() {
            println!("SKIPPED: no NumPy and Pillow, and {SKIP_VARIABLE} is set");
            return Ok(());
        }
        bail!(
            "NumPy and Pillow cannot be installed (python3 -m venv, pip install numpy pillow); set {SKIP_VARIABLE}=1 to go without"
        );
    };
    let hawser = command(shell)?;
    let tools = Tools { python, hawser };
    saxpy(shell, &tools)?;
    every_type(shell, &tools)?;
    checked(shell, &tools, "digits", "predictions=predictions.npy")?;
    checked(shell, &tools, "sharpen", "sharp=sharp.png")
}

/// What takes part in a round trip.
struct Tools {
    python: String,
    hawser: PathBuf,
}

/// The command, as the tests use it.
fn command(shell: &Shell) -> Result<PathBuf> {
    let built = programs::build(shell, &["--workspace", "--test", "command"])?;
    let mut commands = built.into_iter().filter(|program| program.purpose == Purpose::Command);
    let hawser = commands.find(|program| program.target == "hawser");
    Ok(hawser.context("the tests do not build the command")?.executable)
}

/// An example that has a check of its own for one of its outputs.
fn checked(shell: &Shell, tools: &Tools, name: &str, out: &str) -> Result<()> {
    let Tools { python, hawser } = tools;
    let folder = tempfile::tempdir()?;
    let (array, file) = out.split_once('=').context("an output is ARRAY=FILE")?;
    let file = folder.path().join(file);
    let out = format!("{array}={}", file.display());
    let program = format!("examples/{name}/{name}.hws");
    cmd!(shell, "{hawser} run {program} --out {out}")
        .quiet()
        .ignore_stdout()
        .run()?;
    let check = format!("examples/{name}/check.py");
    cmd!(shell, "{python} -B {check} {file}")
        .run()
        .with_context(|| format!("{check} found a difference"))
}

/// The smallest example, in every memory model.
fn saxpy(shell: &Shell, tools: &Tools) -> Result<()> {
    let Tools { python, hawser } = tools;
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
            "{hawser} run examples/saxpy.hws --memory {model} --bind {bind_x} --bind {bind_y} --out {out_y}"
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

/// A program that copies an array of each type, and adds to one that keeps its shape.
fn every_type(shell: &Shell, tools: &Tools) -> Result<()> {
    let Tools { python, hawser } = tools;
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    let dtypes = TYPES.map(|(_, dtype)| dtype);
    let (mut declarations, mut steps) = (String::new(), String::new());
    let mut options = Vec::new();
    for (index, (element, _)) in TYPES.iter().enumerate() {
        declarations += &format!("in a{index} : {element}[24]\nout b{index} : {element}[24]\n");
        steps += &format!("b{index} = a{index}\n");
        options.extend([
            "--bind".to_owned(),
            format!("a{index}={}/in{index}.npy", path.display()),
        ]);
        options.extend([
            "--out".to_owned(),
            format!("b{index}={}/out{index}.npy", path.display()),
        ]);
    }
    options.extend(["--bind".to_owned(), format!("c={}/in10.npy", path.display())]);
    options.extend(["--out".to_owned(), format!("c={}/shaped.npy", path.display())]);
    let program = path.join("types.hws");
    shell.write_file(&program, format!("{declarations}inout c : f32[24]\n{steps}c = c + 1\n"))?;
    cmd!(shell, "{python} -c {WRITE_TYPES} {path} {dtypes...}")
        .quiet()
        .run()?;
    cmd!(shell, "{hawser} run {program} {options...}")
        .quiet()
        .ignore_stdout()
        .run()?;
    cmd!(shell, "{python} -c {COMPARE_TYPES} {path} {dtypes...}")
        .quiet()
        .run()
        .context("NumPy found a difference")
}

/// A Python that can import NumPy and Pillow: the system's, or one in a virtual environment below `target`.
fn python_with_numpy(shell: &Shell) -> Result<Option<String>> {
    let venv = "target/numpy-venv";
    let own = format!("{venv}/bin/python");
    for python in ["python3", own.as_str()] {
        if cmd!(shell, "{python} -c 'import numpy, PIL'")
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
    let installed = cmd!(
        shell,
        "{own} -m pip install --quiet --disable-pip-version-check numpy pillow"
    )
    .run()
    .is_ok();
    Ok(installed.then_some(own))
}
