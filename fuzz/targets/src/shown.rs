//! Mistakes in texts can be shown.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::Difference;

/// Nothing if there are mistakes, and a message with excerpts can be made of them.
pub(crate) fn can_be_shown(mistakes: &dyn Diagnostic) -> Result<(), Difference> {
    let has_any = mistakes.related().is_some_and(|mut list| list.next().is_some());
    Difference::unless(has_any, || "refused without a mistake".to_owned())?;
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none());
    let mut shown = String::new();
    let rendered = handler.render_report(&mut shown, mistakes);
    Difference::unless(rendered.is_ok() && !shown.is_empty(), || {
        format!("the mistakes cannot be shown: {mistakes}")
    })
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
        fn source_code(&self) -> Option<&dyn miette::SourceCode> {
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
}
