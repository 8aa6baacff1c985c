//! Mistakes in texts can be shown.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, SourceCode, SourceSpan};

use crate::Difference;

/// Most mistakes that are shown together: of texts that have more, which take long to show, only the places are looked at.
const FEW: usize = 4;

/// Nothing if there are mistakes, they are at places inside their texts, and a message with excerpts can be made of them.
pub(crate) fn can_be_shown(mistakes: &dyn Diagnostic) -> Result<(), Difference> {
    let list: Vec<_> = mistakes.related().into_iter().flatten().collect();
    Difference::unless(!list.is_empty(), || "refused without a mistake".to_owned())?;
    for mistake in &list {
        let text = mistake.source_code().or(mistakes.source_code());
        let mut places = mistake.labels().into_iter().flatten().map(|label| *label.inner());
        let are_inside = places.all(|place| text.is_some_and(|text| is_inside(text, place)));
        Difference::unless(are_inside, || format!("outside of its text: {mistake}"))?;
    }
    if list.len() > FEW {
        return Ok(());
    }
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none());
    let mut shown = String::new();
    let rendered = handler.render_report(&mut shown, mistakes);
    Difference::unless(rendered.is_ok() && !shown.is_empty(), || {
        format!("the mistakes cannot be shown: {mistakes}")
    })
}

fn is_inside(text: &dyn SourceCode, place: SourceSpan) -> bool {
    let read = text.read_span(&place, 0, 0);
    read.is_ok_and(|read| read.data().len() >= place.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use miette::{LabeledSpan, MietteDiagnostic};

    /// A refusal with what it names as mistakes.
    #[derive(Debug, Default)]
    struct Refused(Vec<MietteDiagnostic>);

    impl std::fmt::Display for Refused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("refused")
        }
    }

    impl std::error::Error for Refused {}

    impl Diagnostic for Refused {
        fn source_code(&self) -> Option<&dyn SourceCode> {
            Some(&"four")
        }

        fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
            Some(Box::new(self.0.iter().map(|mistake| mistake as &dyn Diagnostic)))
        }
    }

    fn mistake(start: usize) -> MietteDiagnostic {
        MietteDiagnostic::new("wrong").with_label(LabeledSpan::at(start..start + 1, "here"))
    }

    #[test]
    fn a_refusal_has_to_name_a_mistake() {
        assert!(can_be_shown(&Refused::default()).is_err());
        assert_eq!(can_be_shown(&Refused(vec![mistake(3)])), Ok(()));
    }

    #[test]
    fn each_place_has_to_be_inside_the_text() {
        for (before, start) in [(0, 4), (FEW, 4), (FEW, 40)] {
            let mut mistakes: Vec<_> = (0..before).map(|_| mistake(0)).collect();
            mistakes.push(mistake(start));
            assert!(can_be_shown(&Refused(mistakes)).is_err());
        }
    }
}
