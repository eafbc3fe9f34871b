//! Which characters of a text are visible, and which only change how others are read.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        DefaultIgnorableCodePoint, Emoji, ExtendedPictographic, GeneralCategory, Ideographic, JoiningType,
        PrependedConcatenationMark, Script,
    },
};
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

const ZERO_WIDTH_SPACE: char = '\u{200b}';
const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// The variation selector that shows the previous character as an emoji.
const AS_EMOJI: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
/// The first character of the flags of England, Scotland and Wales; their names follow in tags.
const FLAG: char = '\u{1f3f4}';
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];
/// The first of the tags, which are the ASCII characters in an invisible form.
const TAGS: u32 = 0xe0000;
const TAGS_END: char = '\u{e007f}';
/// The canonical combining class of a virama, which joins letters in Indic scripts.
const VIRAMA: u8 = 9;

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

/// Returns whether it is white space of any kind, or one of two empty characters that are not: of Braille and of music.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{2800}' | '\u{1d159}')
}

/// Returns whether no line of text may have it: control characters such as NUL and line ends, replacement characters,
/// and private-use characters.
pub fn is_control(c: char) -> bool {
    use GeneralCategory::{Control, LineSeparator, ParagraphSeparator, PrivateUse};
    let is_no_character = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    is_no_character
        || c == '\u{fffd}'
        || matches!(category(c), Control | LineSeparator | ParagraphSeparator | PrivateUse)
}

/// Returns whether it is ignorable, so not shown where it is not supported: joiners, fillers, variation selectors,
/// marks of direction.
pub fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Returns whether it is an accent: a combining mark that belongs to no single script.
pub fn is_accent(c: char) -> bool {
    is_combining_mark(c) && script(c) == Script::Inherited
}

/// Returns whether it is visible by itself.
pub fn is_visible(c: char) -> bool {
    let is_format = category(c) == GeneralCategory::Format;
    !(is_blank(c) || is_control(c) || is_ignorable(c) || is_format || is_combining_mark(c))
}

/// Returns the first invisible character of a text that changes how others are read, or makes texts differ that look
/// the same. Characters that join visible ones or choose their form do not count where they have this effect: in emoji,
/// and in scripts that need them.
pub fn hidden(text: &str) -> Option<char> {
    let text: Vec<char> = text.chars().collect();
    (0..text.len()).find_map(|at| match text.split_at(at) {
        (before, [c, after @ ..]) if is_hidden(*c) => {
            (!belongs(before, *c, after) && !is_in_flag(&text, at)).then_some(*c)
        }
        _ => None,
    })
}

fn is_hidden(c: char) -> bool {
    let is_of_number = CodePointSetData::new::<PrependedConcatenationMark>().contains(c);
    is_ignorable(c) || (category(c) == GeneralCategory::Format && !is_of_number)
}

/// Returns whether an invisible character has a visible effect on those around it.
fn belongs(before: &[char], c: char, after: &[char]) -> bool {
    match c {
        JOINER if joins_emoji(before, after) => true,
        JOINER | NON_JOINER => joins_letters(before, after),
        ZERO_WIDTH_SPACE => [before.last(), after.first()].into_iter().all(|c| c.is_some_and(|c| has_no_spaces(*c))),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => before.last().is_some_and(|c| script(*c) == Script::Mongolian),
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            before.last().is_some_and(|base| varies(*base, c, after))
        }
        _ => false,
    }
}

/// Returns whether a joiner is between two emoji, as in families, flags and professions (UTS #51, section 2.3).
fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let is_picture = |c: char| CodePointSetData::new::<ExtendedPictographic>().contains(c);
    let is_tone = |c: char| c == AS_EMOJI || matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
    let picture = before.iter().rev().find(|c| !is_tone(**c));
    picture.is_some_and(|c| is_picture(*c)) && after.first().is_some_and(|c| is_picture(*c))
}

/// Returns whether a joiner is between letters whose form depends on their neighbors, as in Persian, or that a virama
/// joins, as in Hindi (RFC 5892, appendix A; less strict with letters that keep their form, next to which Persian uses
/// it, too).
fn joins_letters(before: &[char], after: &[char]) -> bool {
    let is_virama = |c: Option<&char>| c.is_some_and(|c| canonical_combining_class(*c) == VIRAMA);
    let takes_forms = |c: &char| {
        let joining = CodePointMapData::<JoiningType>::new().get(*c);
        matches!(joining, JoiningType::DualJoining | JoiningType::LeftJoining | JoiningType::RightJoining)
            || (script(*c) == Script::Arabic && category(*c) == GeneralCategory::OtherLetter)
    };
    let is_letter = |c: &&char| !is_combining_mark(**c);
    let between_letters = before.iter().rev().find(is_letter).is_some_and(takes_forms)
        && after.iter().find(is_letter).is_some_and(takes_forms);
    is_virama(before.last()) || is_virama(after.first()) || between_letters
}

/// Returns whether its script has no spaces, so that its keyboards have a zero-width space for possible line breaks.
fn has_no_spaces(c: char) -> bool {
    matches!(script(c), Script::Khmer | Script::Lao | Script::Myanmar | Script::Thai)
}

/// Returns whether a character has other forms that this selector chooses: emoji, and Chinese characters in names.
fn varies(base: char, selector: char, after: &[char]) -> bool {
    if base.is_ascii() {
        return selector == AS_EMOJI && after.first() == Some(&KEYCAP);
    }
    let is_emoji = CodePointSetData::new::<Emoji>().contains(base) && matches!(selector, '\u{fe0e}' | AS_EMOJI);
    is_emoji || CodePointSetData::new::<Ideographic>().contains(base)
}

/// Returns whether it is a tag in the name of an existing flag, or the tag that ends it.
fn is_in_flag(text: &[char], at: usize) -> bool {
    FLAGS.iter().any(|name| {
        let tags = name.chars().filter_map(|c| char::from_u32(TAGS + u32::from(c)));
        let flag: Vec<char> = std::iter::once(FLAG).chain(tags).chain([TAGS_END]).collect();
        let starts = (1..flag.len()).filter_map(|into| at.checked_sub(into));
        starts.filter_map(|start| text.get(start..)).any(|rest| rest.starts_with(&flag))
    })
}
