//! Where the canonical layout has a space.

use super::token::{Kind, Token};

/// Whether there is a space between a token and those before it in its statement.
pub(super) fn is_spaced(before: &[Token<'_>], token: Token<'_>) -> bool {
    let Some((last, earlier)) = before.split_last() else {
        return false;
    };
    if is_prefix(earlier, *last) {
        return false;
    }
    match (last.kind, token.kind) {
        (Kind::Open | Kind::OpenBracket | Kind::Dots, _) => false,
        (_, Kind::Close | Kind::CloseBracket | Kind::Comma | Kind::Dots) => false,
        // A call, a part of an array, or a shape; but `as` has a space before its dimensions.
        (Kind::Word, Kind::OpenBracket) => is_as(earlier, *last),
        (Kind::Word, Kind::Open) => begins_block(before),
        (Kind::Close | Kind::CloseBracket | Kind::Number, Kind::OpenBracket) => false,
        _ => true,
    }
}

/// Whether an operand ends with this token.
fn ends_operand(token: Token<'_>) -> bool {
    matches!(
        token.kind,
        Kind::Word | Kind::Number | Kind::Close | Kind::CloseBracket | Kind::Text
    )
}

/// Whether a token is the sign of what follows.
fn is_prefix(before: &[Token<'_>], token: Token<'_>) -> bool {
    match token.kind {
        Kind::Tilde => true,
        Kind::Minus => !before.last().is_some_and(|last| ends_operand(*last)),
        _ => false,
    }
}

/// Whether a word is the `as` between an array and its dimensions, and not the name of an array.
fn is_as(before: &[Token<'_>], token: Token<'_>) -> bool {
    token.text == "as" && before.last().is_some_and(|last| ends_operand(*last))
}

/// Whether these tokens are the beginning of a block, up to how often it is repeated.
fn begins_block(before: &[Token<'_>]) -> bool {
    matches!(before, [first] | [first, _, _] if first.text == "repeat")
}
