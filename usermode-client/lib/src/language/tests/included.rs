//! Programs of several texts.

use super::*;

/// Compiles the first of these texts, which may include the others.
fn compile_files(files: &[(&str, &str)]) -> Result<Compiled, Mistakes> {
    let (name, text) = files[0];
    let mut loader = |_: &str, path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        let (name, text) = found.ok_or_else(|| "no such file".to_owned())?;
        Ok(Text::named(*name, *text))
    };
    compile_with(Text::named(name, text), &mut loader)
}

/// Text, code and position of every mistake.
fn mistakes_of(files: &[(&str, &str)]) -> Vec<String> {
    let mistakes = compile_files(files).unwrap_err();
    let describe = |mistake: &Mistake| {
        let (file, position) = (mistakes.file(mistake), mistakes.position(mistake));
        format!("{file} {} {position}", mistake.problem.code())
    };
    mistakes.list().iter().map(describe).collect()
}

const MAIN: &str = "include \"a\"\nout y : f32[N]\ny = half(N)\n";

#[test]
fn what_is_included_is_known_below() {
    let files = [
        ("main", MAIN),
        ("a", "include \"b\"\ndef half(v) = v / 2.0\n"),
        ("b", "const N = 4\n"),
    ];
    let compiled = compile_files(&files).unwrap();
    assert_eq!(compiled.array("y").map(|array| array.count), Some(4));
    let names: Vec<_> = compiled.sources.iter().map(Source::name).collect();
    assert_eq!(names, ["main", "a", "b"]);
    assert_eq!(compiled.sources.slice(compiled.steps[0]), "y = half(N)");
    let too_early = format!("const M = N\n{MAIN}");
    assert_eq!(
        mistakes_of(&[("main", &too_early), files[1], files[2]]),
        ["main unknown-name 1:11"]
    );
}

#[test]
fn texts_may_include_each_other_and_are_included_once() {
    let a = "include \"main\"\ninclude \"b\"\ninclude \"b\"\ninclude \"a\"\n";
    let b = "include \"a\"\nconst N = 4\ndef half(v) = v / 2\n";
    assert!(compile_files(&[("main", MAIN), ("a", a), ("b", b)]).is_ok());
}

/// A loader that knows what tells texts apart, and counts those that it loads.
struct Counting(usize);

impl Loader for Counting {
    fn load(&mut self, _: &str, path: &str) -> Result<Text, String> {
        self.0 += 1;
        Ok(Text::named(path.trim_start_matches("./"), "const N = 4\n"))
    }

    fn identity(&mut self, _: &str, path: &str) -> Option<String> {
        Some(path.trim_start_matches("./").to_owned())
    }
}

#[test]
fn a_text_is_loaded_once_whatever_it_is_called() {
    let mut loader = Counting(0);
    let text = "include \"a\"\ninclude \"./a\"\ninclude \"././a\"\nout y : f32[N]\ny = 1\n";
    compile_with(Text::named("main", text), &mut loader).unwrap();
    assert_eq!(loader.0, 1);
}

#[test]
fn a_text_that_cannot_be_included_is_told() {
    assert_eq!(mistakes_of(&[("main", "include \"a\"\n")]), ["main cannot-include 1:9"]);
    let complaint = compile("main", "include \"a\"\n").unwrap_err();
    assert!(complaint.list()[0].to_string().ends_with("there are no files here"));
    // What it would have declared is not missed as well.
    let uses = "out y : f32[N]\ny = half(N)\n";
    assert_eq!(mistakes_of(&[("main", MAIN)]), ["main cannot-include 1:9"]);
    let broken = format!("include \"a\";\n{uses}");
    assert_eq!(mistakes_of(&[("main", &broken)]), ["main unknown-character 1:12"]);
    let texts: Vec<_> = (0..40)
        .map(|i| (i.to_string(), format!("include \"{}\"\n", i + 1)))
        .collect();
    let files: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    assert_eq!(mistakes_of(&files), ["16 too-deep 1:9"]);
    let mistakes = compile_files(&files).unwrap_err();
    assert_eq!(mistakes.list()[0].problem.help(), None);
}

#[test]
fn mistakes_name_the_text_they_are_in_and_the_place_in_the_other() {
    let library = "const N = 4\nconst y = 3\ndef half(v) = v / q\n";
    let files = [("main", MAIN), ("a", library)];
    assert_eq!(
        mistakes_of(&files),
        ["main redefined 2:5", "main not-an-array 3:1", "a unknown-name 3:19"]
    );
    let mistakes = compile_files(&files).unwrap_err();
    let mut shown = String::new();
    miette::NarratableReportHandler::new()
        .render_report(&mut shown, &mistakes)
        .unwrap();
    for part in ["out y : f32[N]", "first here", "const y = 3", "def half(v) = v / q"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn a_default_file_belongs_to_the_text_that_names_it() {
    let library = "const N = 2\nin x : f32[N] from \"x.npy\"\ndef half(v) = x / v\n";
    let compiled = compile_files(&[("main", MAIN), ("a", library)]).unwrap();
    let file = compiled.array("x").and_then(|array| array.file.clone()).unwrap();
    assert_eq!(
        (file.path.as_str(), compiled.sources.get(file.declared_in).name()),
        ("x.npy", "a")
    );
    assert_eq!(compiled.array("y").and_then(|array| array.file.clone()), None);
}
