//! Mistakes in a program, with their place.

use crate::support::{Place, USAGE, contains};

#[test]
fn mistakes_are_shown_with_their_line_and_a_caret() {
    let place = Place::new();
    place.file("p.hws", "in x : f32[4]\ninout y : i32[4]\ny = x\nx = y +\n");
    for command in ["run", "check"] {
        let (output, shown) = place.both(USAGE, &[command, "p.hws"]);
        assert_eq!(output, "");
        contains(
            &shown,
            &[
                "2 errors in `p.hws`",
                "hws::type-mismatch",
                "p.hws:3:5",
                " 3 │ y = x\n   ·     ┬\n   ·     ╰── here",
                "destination declared here",
                "hws::unfinished",
                "p.hws:4:8",
                " 4 │ x = y +\n   ·        ▲\n   ·        ╰── here",
            ],
        );
    }
}

#[test]
fn mistakes_are_told_as_json_with_line_and_column() {
    let place = Place::new();
    // Columns count characters, not bytes.
    place.file("p.hws", "in x : f32[4]\ninout y : i32[4]\ny = x\n# é\ny = add(y, é)\n");
    for command in ["run", "check"] {
        let json = place.json(USAGE, &[command, "p.hws", "--json"]);
        let mistakes = json["mistakes"].as_array().unwrap();
        let told: Vec<_> = mistakes
            .iter()
            .map(|mistake| {
                let [line, column] = ["line", "column"].map(|field| mistake[field].as_u64().unwrap());
                (mistake["code"].as_str().unwrap(), line, column)
            })
            .collect();
        assert_eq!(told, [("type-mismatch", 3, 5), ("unknown-character", 5, 12)]);
        assert_eq!(mistakes[0]["message"], "`x` has elements of f32, and i32 is needed");
    }
}

#[test]
fn a_mistake_says_what_to_do_where_that_is_known() {
    let place = Place::new();
    place.file("p.hws", "in x : f32[4]\nx = x * 2 + 1\n");
    let shown = place.complaint(USAGE, &["check", "p.hws"]);
    contains(&shown, &["help: declare it `inout`"]);
    let json = place.json(USAGE, &["check", "p.hws", "--json"]);
    let help = json["mistakes"][0]["help"].as_str().unwrap();
    assert_eq!(help, "declare it `inout`");
}

#[test]
fn a_program_that_does_nothing_is_a_mistake() {
    let place = Place::new();
    for (text, code) in [
        ("", "no-steps"),
        ("# nothing\n", "no-steps"),
        ("\0\0\0\0", "unknown-character"),
    ] {
        let json = place.file("p.hws", text).json(USAGE, &["run", "p.hws", "--json"]);
        assert_eq!(json["mistakes"][0]["code"], code, "{text:?}");
    }
}
