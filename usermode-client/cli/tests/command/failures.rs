//! What keeps the command from doing its work: every cause has a code, an exit status, and a message that says what and where.

use std::collections::BTreeSet;
use std::fs;

use crate::form_failures;
use crate::support::{Place, SAXPY, SUCCESS, USAGE, npy, npy_with, repository};

/// A call that cannot work, and how it ends.
pub struct Case {
    pub arguments: &'static [&'static str],
    pub kind: &'static str,
    pub code: &'static str,
    pub message: &'static str,
}

pub const fn case(
    arguments: &'static [&'static str],
    kind: &'static str,
    code: &'static str,
    message: &'static str,
) -> Case {
    Case {
        arguments,
        kind,
        code,
        message,
    }
}

const fn bind(binding: &'static [&'static str; 4], code: &'static str, message: &'static str) -> Case {
    case(binding, "binding", code, message)
}

const CASES: [Case; 31] = [
    case(
        &["run", "no.hws"],
        "file",
        "program-unreadable",
        "cannot read `no.hws`: No such file or directory (os error 2)",
    ),
    case(
        &["check", "no.hws"],
        "file",
        "program-unreadable",
        "cannot read `no.hws`: No such file or directory (os error 2)",
    ),
    case(
        &["run", "folder"],
        "file",
        "program-unreadable",
        "cannot read `folder`: Is a directory (os error 21)",
    ),
    case(
        &["run", "latin.hws"],
        "file",
        "program-unreadable",
        "cannot read `latin.hws`: it is not a text in UTF-8",
    ),
    case(&["run", "wrong.hws"], "program", "mistakes", "1 error in `wrong.hws`"),
    case(
        &["check", "large.hws"],
        "plan",
        "plan-refused",
        "a driver would refuse the program: the program needs more copied bytes and tables than the driver's arena can ever hold \
            (length 134218048, limit 67108864)",
    ),
    bind(
        &["run", "p.hws", "--bind", "w=x.npy"],
        "no-such-array",
        "the program has no array `w`; it has `x`, `y`",
    ),
    bind(
        &["run", "p.hws", "--bind", "a=x.npy"],
        "no-such-array",
        "the program has no array `a`; it has `x`, `y`",
    ),
    bind(
        &["run", "p.hws", "--out", "w=w.npy"],
        "no-such-array",
        "the program has no array `w`; it has `x`, `y`",
    ),
    case(
        &["run", "p.hws", "--bind", "x=x.npy", "--bind", "x=x.npy"],
        "binding",
        "bound-twice",
        "`--bind x=...` is given twice",
    ),
    case(
        &["run", "p.hws", "--out", "y=a.npy", "--out", "y=b.npy"],
        "binding",
        "bound-twice",
        "`--out y=...` is given twice",
    ),
    case(
        &["run", "outs.hws", "--out", "y=a.npy", "--out", "z=folder/../a.npy"],
        "binding",
        "same-file",
        "`--out y=...` and `--out z=...` name the same file, `folder/../a.npy`",
    ),
    bind(
        &["run", "outs.hws", "--bind", "y=x.npy"],
        "not-an-input",
        "`y` is declared `out`: its values do not come from a file",
    ),
    bind(
        &["run", "outs.hws", "--bind", "t=x.npy"],
        "not-an-input",
        "`t` is declared `temp`: its values do not come from a file",
    ),
    bind(
        &["run", "p.hws", "--out", "x=a.npy"],
        "not-an-output",
        "`x` is declared `in`: the program does not write it for a file",
    ),
    bind(
        &["run", "outs.hws", "--out", "t=a.npy"],
        "not-an-output",
        "`t` is declared `temp`: the program does not write it for a file",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=no.npy"],
        "array-unreadable",
        "array `x`: cannot read `no.npy`: No such file or directory (os error 2)",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=folder"],
        "array-unreadable",
        "array `x`: cannot read `folder`: Is a directory (os error 21)",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=text.npy"],
        "not-npy",
        "array `x`: `text.npy` is not a NumPy file: magic not found for NPY file",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=keys.npy"],
        "not-npy",
        "array `x`: `keys.npy` is not a NumPy file: dict is missing key 'shape'",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=head.npy"],
        "npy-truncated",
        "array `x`: `head.npy` is cut off: it ends within its header",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=cut.npy"],
        "npy-truncated",
        "array `x`: `cut.npy` is cut off: it has 3999 of 4000 bytes of elements",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=f64.npy"],
        "wrong-type",
        "array `x`: `f64.npy` has elements of type '<f8', and f32 are needed (<f4)",
    ),
    bind(
        &["run", "p.hws", "--bind", "y=record.npy"],
        "wrong-type",
        "array `y`: `record.npy` has elements of type [('a', '<f4'), ], and f32 are needed (<f4)",
    ),
    bind(
        &["run", "p.hws", "--bind", "y=short.npy"],
        "wrong-shape",
        "array `y`: `short.npy` has shape (10, 10), which is 100 elements, and 1000 are needed",
    ),
    bind(
        &["run", "p.hws", "--bind", "y=scalar.npy"],
        "wrong-shape",
        "array `y`: `scalar.npy` has shape (), which is 1 element, and 1000 are needed",
    ),
    bind(
        &["run", "p.hws", "--bind", "x=fortran.npy"],
        "fortran-order",
        "array `x`: `fortran.npy` is in Fortran order; save `numpy.ascontiguousarray(...)` of it",
    ),
    bind(
        &["run", "p.hws", "--out", "y=no/y.npy"],
        "array-unwritable",
        "array `y`: cannot write `no/y.npy`: No such file or directory (os error 2)",
    ),
    bind(
        &["run", "p.hws", "--out", "y=folder"],
        "array-unwritable",
        "array `y`: cannot write `folder`: is a directory",
    ),
    case(
        &["run", "p.hws", "--image", "no.sys"],
        "image",
        "image-unusable",
        "no.sys: cannot be read: No such file or directory (os error 2)",
    ),
    case(
        &["run", "p.hws", "--image", "text.npy"],
        "image",
        "image-unusable",
        "text.npy: not a whole PE image: Invalid DOS header size or alignment",
    ),
];

fn all_cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(&form_failures::CASES)
}

fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("folder")).unwrap();
    place.file("p.hws", SAXPY);
    form_failures::files(&place);
    place.file(
        "outs.hws",
        "in x : f32[4]\nout y : f32[4]\nout z : f32[4]\ntemp t : f32[4]\ny = x\nz = x\nt = x\n",
    );
    place.file("wrong.hws", "in x : f32[4]\nx = 1\n");
    place.file("large.hws", "inout y : f32[33554432]\ny = y + 1\n");
    place.file("latin.hws", b"# caf\xe9\n");
    place.file("text.npy", "1,2,3");
    place.file(
        "keys.npy",
        npy_with("{'descr': '<f4', 'fortran_order': False, }", &[0; 4000]),
    );
    place.file("x.npy", npy("<f4", "(1000,)", &[0; 4000]));
    place.file("head.npy", &npy("<f4", "(1000,)", &[])[..30]);
    place.file("cut.npy", npy("<f4", "(1000,)", &[0; 3999]));
    place.file("f64.npy", npy("<f8", "(1000,)", &[0; 8000]));
    let record = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1000,), }";
    place.file("record.npy", npy_with(record, &[0; 4000]));
    place.file("short.npy", npy("<f4", "(10, 10)", &[0; 400]));
    place.file("scalar.npy", npy("<f4", "()", &[0; 4]));
    let fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (10, 100), }";
    place.file("fortran.npy", npy_with(fortran, &[0; 4000]));
    place
}

#[test]
fn every_failure_has_its_code_and_its_message_before_anything_runs() {
    let place = place();
    for case in all_cases() {
        let arguments = [case.arguments, &["--json"]].concat();
        let json = place.json(USAGE, &arguments);
        let told = ["schema", "kind", "code", "message"].map(|field| json[field].as_str().unwrap());
        assert_eq!(
            told,
            ["hawser.error/1", case.kind, case.code, case.message],
            "{arguments:?}"
        );
    }
}

#[test]
fn a_failure_is_told_to_people_in_the_same_words() {
    let place = place();
    for case in all_cases().filter(|case| case.kind != "program") {
        let (output, complaint) = place.both(USAGE, case.arguments);
        assert_eq!(output, "", "{:?}: nothing runs", case.arguments);
        let code = format!("hawser::{}\n", case.code);
        assert!(complaint.starts_with(&code), "{complaint}");
        // Lines are broken where the terminal ends, and causes are set off: the letters are compared.
        let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        assert_eq!(letters(&complaint[code.len()..]), letters(case.message));
    }
}

#[test]
fn the_documentation_lists_every_failure() {
    let document = fs::read_to_string(repository().join("docs/language.md")).unwrap();
    let (_, table) = document.split_once("| code | kind | exit | what |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let documented: BTreeSet<(String, String)> = rows
        .flat_map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let words = |cell: &str| {
                cell.replace('`', "")
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let (codes, kinds) = (words(cells[1]), words(cells[2]));
            codes
                .into_iter()
                .flat_map(move |code| kinds.clone().into_iter().map(move |kind| (kind, code.clone())))
        })
        .collect();
    // See the next test.
    let late = ("output", "array-unwritable");
    // Told where standard output does not go.
    let lost = ("output", "output-lost");
    // Of a build without a simulated machine, of a real device, and of a machine that stops.
    let elsewhere = [
        ("usage", "usage"),
        ("device", "no-device"),
        ("device", "device"),
        ("machine", "machine"),
    ];
    let seen = all_cases().map(|case| (case.kind, case.code));
    let known: BTreeSet<_> = seen
        .chain([late, lost])
        .chain(elsewhere)
        .map(|(kind, code)| (kind.to_owned(), code.to_owned()))
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn what_has_no_end_is_not_read_for_ever() {
    let place = place();
    let complaint = place.complaint(USAGE, &["check", "/dev/zero"]);
    assert!(
        complaint.contains("cannot read `/dev/zero` ╰─▶ it is longer than 16 MiB"),
        "{complaint}"
    );
    place.file("p.hws", "include \"/dev/zero\"\n");
    let complaint = place.complaint(USAGE, &["check", "p.hws"]);
    assert!(
        complaint.contains("cannot include `/dev/zero`: it is no file"),
        "{complaint}"
    );
    place.file("p.hws", "$\n".repeat(300)).file("p.hwa", "$\n".repeat(300));
    for file in ["p.hws", "p.hwa"] {
        let json = place.json(USAGE, &["check", file, "--json"]);
        assert_eq!(json["mistakes"].as_array().map(Vec::len), Some(100));
        let complaint = place.complaint(USAGE, &["check", file]);
        assert!(
            complaint.contains("300 errors in") && complaint.contains("... and 200 more"),
            "{complaint}"
        );
    }
}

#[test]
fn a_file_that_fills_the_disk_is_told_when_the_program_has_run() {
    let place = place();
    let (output, complaint) = place.both(USAGE, &["run", "p.hws", "--out", "y=/dev/full"]);
    assert!(output.contains("plan "), "{output}");
    assert!(
        complaint.contains("hawser::array-unwritable") && complaint.contains("cannot write `/dev/full`"),
        "{complaint}"
    );
    let json = place.json(USAGE, &["run", "p.hws", "--json", "--out", "y=/dev/full"]);
    assert_eq!(
        (&json["kind"], &json["code"]),
        (&"output".into(), &"array-unwritable".into())
    );
}

#[test]
fn arguments_that_the_command_does_not_have_are_refused_with_what_it_has() {
    let place = place();
    for (arguments, parts) in [
        (
            ["run", "p.hws", "--memory", "cached"].as_slice(),
            ["'cached' for '--memory", "flat, scrambled, iommu, bounce"],
        ),
        (
            &["run", "p.hws", "--memory", "flat", "--memory", "iommu"],
            ["--memory <MEMORY>", "cannot be used multiple times"],
        ),
        (
            &["run", "p.hws", "--seed", "first"],
            ["'first' for '--seed <SEED>'", "invalid digit"],
        ),
        (
            &["run", "p.hws", "--seed", "18446744073709551616"],
            ["'--seed <SEED>'", "too large"],
        ),
        (
            &["run", "p.hws", "--bind", "x"],
            ["'x' for '--bind <ARRAY=FILE.npy>'", "expected ARRAY=FILE.npy"],
        ),
        (
            &["run", "p.hws", "--out", "=y.npy"],
            ["'=y.npy' for '--out <ARRAY=FILE.npy>'", "expected ARRAY=FILE.npy"],
        ),
        (&["run"], ["required arguments", "<FILE>"]),
        (&["run", "p.hws", "q.hws"], ["'q.hws'", "Usage: hawser run"]),
        (
            &["check", "p.hws", "--memory", "flat"],
            ["'--memory'", "Usage: hawser check"],
        ),
        (
            &["check", "p.hws", "--bind", "x=x.npy"],
            ["'--bind'", "Usage: hawser check"],
        ),
        (&["info", "--no-verify"], ["'--no-verify'", "Usage: hawser info"]),
        (&["dissect"], ["'dissect'", "Usage: hawser <COMMAND>"]),
        (&[], ["Usage: hawser <COMMAND>", "Exit status: 0 success"]),
    ] {
        let (output, complaint) = place.both(USAGE, arguments);
        assert_eq!(output, "", "{arguments:?}");
        for part in parts {
            assert!(complaint.contains(part), "{arguments:?}: no {part} in {complaint}");
        }
    }
    assert!(place.output(SUCCESS, &["--help"]).contains("Exit status: 0 success"));
    assert!(place.output(SUCCESS, &["--version"]).starts_with("hawser "));
}
