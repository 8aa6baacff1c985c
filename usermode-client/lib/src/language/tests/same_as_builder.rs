//! The same programs in the language and through the builder: byte for byte.

use crate::program::{Array, Predicate, Program, ProgramBuilder, ProgramError};

use super::*;

#[track_caller]
fn same(text: &str, build: impl FnOnce(&mut ProgramBuilder) -> Result<(), ProgramError>) {
    let mut builder = ProgramBuilder::new();
    build(&mut builder).unwrap();
    let built = builder.build().unwrap();
    let compiled = compiled(text).program;
    assert_eq!(steps(&compiled), steps(&built), "{text}");
    assert_eq!(compiled.bytes(), built.bytes(), "{text}");
}

fn steps(program: &Program) -> Vec<hawser_abi::program::Step> {
    (0..program.step_count() as u32)
        .filter_map(|index| program.step(index))
        .collect()
}

#[test]
fn a_layer_of_a_network() {
    let text = "const N = 20\nin x : f32[N, 4]\nin w : f32[4, 3]\nin b : f32[3]\nout h : f32[N, 3]\nout c : u64[N]\n\
        h = relu(matmul(x, w) + b)\nrepeat i in 0..N {\n c[i] = argmax(h[i])\n}\n";
    same(text, |builder| {
        let x = builder.array::<f32>(80)?.matrix(20, 4)?;
        let w = builder.array::<f32>(12)?.matrix(4, 3)?;
        let b = builder.array::<f32>(3)?;
        let h = builder.array::<f32>(60)?;
        let classes = builder.array::<u64>(20)?;
        let product = builder.scratch::<f32>(60)?;
        builder.matmul(product.matrix(20, 3)?, x, w)?;
        let bias = builder.scratch::<f32>(60)?;
        builder
            .spread(bias, b)?
            .add(product, product, bias)?
            .max(h, product, 0.0)?;
        for row in 0..20 {
            builder.argmax(classes.part(row..row + 1)?, h.matrix(20, 3)?.row(row)?)?;
        }
        Ok(())
    });
}

#[test]
fn every_operation() {
    let text = "in x : i32[2, 6]\nin f : f32[12]\nin m : u8[12]\nout y : i32[12]\nout g : f32[12]\nout k : u8[12]\n\
        out s : i32[1]\nout p : u64[1]\nout t : i32[6, 2]\nout q : i32[2, 2]\nout z : i8[12]\n\
        y = x as [12]\ny = 7\ny = x as [12] + y\ny = sat(y - 1)\ny = y * 3\ny = y / 2\ny = y % 5\ny = min(y, 1)\ny = max(y, 0)\n\
        y = sat(fma(y, y, 1))\ny = -y\ny = abs(y)\ng = sqrt(f)\ny = y & 1\ny = y | 2\ny = y ^ 3\ny = ~y\ny = y << 1\ny = y >> 1\n\
        k = f < 2\nk = ge(f, g)\ng = select(m, f, 0)\nz = sat(i8(y))\ns = sum(y)\ns = dot(y, x as [12])\np = argmin(f)\np = argmax(y)\n\
        y = prefix_sum(y)\nt = transpose(x)\nq = matmul(x, t)\n";
    same(text, |builder| {
        let x = builder.array::<i32>(12)?;
        let f = builder.array::<f32>(12)?;
        let m = builder.array::<u8>(12)?;
        let y = builder.array::<i32>(12)?;
        let g = builder.array::<f32>(12)?;
        let k = builder.array::<u8>(12)?;
        let s = builder.array::<i32>(1)?;
        let p = builder.array::<u64>(1)?;
        let t = builder.array::<i32>(12)?;
        let q = builder.array::<i32>(4)?;
        let z = builder.array::<i8>(12)?;
        builder
            .copy(y, x)?
            .fill(y, 7)?
            .add(y, x, y)?
            .saturating_sub(y, y, 1)?
            .mul(y, y, 3)?
            .div(y, y, 2)?;
        builder
            .rem(y, y, 5)?
            .min(y, y, 1)?
            .max(y, y, 0)?
            .saturating_fma(y, y, y, 1)?
            .neg(y, y)?
            .abs(y, y)?;
        builder
            .sqrt(g, f)?
            .and(y, y, 1)?
            .or(y, y, 2)?
            .xor(y, y, 3)?
            .not(y, y)?
            .shl(y, y, 1)?
            .shr(y, y, 1)?;
        builder
            .compare(k, Predicate::Lt, f, 2.0)?
            .compare(k, Predicate::Ge, f, g)?
            .select(g, m, f, 0.0)?;
        builder
            .saturating_convert(z, y)?
            .sum(s, y)?
            .dot(s, y, x)?
            .argmin(p, f)?
            .argmax(p, y)?;
        let (left, turned) = (x.matrix(2, 6)?, t.matrix(6, 2)?);
        builder
            .prefix_sum(y, y)?
            .transpose(turned, left)?
            .matmul(q.matrix(2, 2)?, left, turned)?;
        Ok(())
    });
}

#[test]
fn inner_results_in_memory_that_is_used_again() {
    let text = "in a : f64[8]\nin b : f64[8]\nout y : f64[8]\ntemp t : f64[8]\nt = b\ny = (a + b) * (a - b) + sqrt(t)\ny[1..4] = y[2..5]\n";
    same(text, |builder| {
        let [a, b, y] = [builder.array::<f64>(8)?, builder.array(8)?, builder.array(8)?];
        let t = builder.scratch::<f64>(8)?;
        builder.copy(t, b)?;
        let first = builder.scratch::<f64>(8)?;
        let second = builder.scratch::<f64>(8)?;
        builder.add(first, a, b)?.sub(second, a, b)?.mul(first, first, second)?;
        builder.release(second)?;
        let root: Array<f64> = builder.scratch(8)?;
        assert_eq!(root.offset(), second.offset());
        builder.sqrt(root, t)?.add(y, first, root)?;
        builder.release(first)?;
        builder.release(root)?;
        let between = builder.scratch::<f64>(3)?;
        builder.copy(between, y.part(2..5)?)?.copy(y.part(1..4)?, between)?;
        Ok(())
    });
}
