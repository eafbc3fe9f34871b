//! Which characters of a text can be seen, and which only change how the others are read.

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
/// Shows the character before it as an emoji.
const AS_EMOJI: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
/// What the flags of England, Scotland and Wales begin with; their names follow in tags.
const FLAG: char = '\u{1f3f4}';
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];
/// Tags are the letters of ASCII, invisible, from here on.
const TAGS: u32 = 0xe0000;
const TAGS_END: char = '\u{e007f}';
/// The canonical combining class of a virama, by which scripts of India put letters together.
const VIRAMA: u8 = 9;

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

/// White space of any kind, and two characters that are empty without being any: of Braille and of music.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{2800}' | '\u{1d159}')
}

/// What no line of text has: controls such as NUL and line ends, what stands for a character that got lost, and
/// characters whose looks are agreed upon in private.
pub fn is_control(c: char) -> bool {
    use GeneralCategory::{Control, LineSeparator, ParagraphSeparator, PrivateUse};
    let is_no_character = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    is_no_character
        || c == '\u{fffd}'
        || matches!(category(c), Control | LineSeparator | ParagraphSeparator | PrivateUse)
}

/// What leaves no trace where it cannot be shown: joiners, fillers, variation selectors, marks of direction.
pub fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// An accent, by which no alphabet tells one letter from another: a mark that is of no script of its own.
pub fn is_accent(c: char) -> bool {
    is_combining_mark(c) && script(c) == Script::Inherited
}

/// Whether it shows something by itself.
pub fn is_visible(c: char) -> bool {
    let is_format = category(c) == GeneralCategory::Format;
    !(is_blank(c) || is_control(c) || is_ignorable(c) || is_format || is_combining_mark(c))
}

/// The first character of a text that nobody sees and that changes how others are read, or what two texts have in
/// common. What joins or chooses the form of visible characters is none where it does so: in emoji, and in scripts that
/// need it.
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

/// Whether a hidden character does something to those around it that is seen.
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

/// A joiner between two pictures: family, flag and profession (UTS #51, section 2.3).
fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let is_picture = |c: char| CodePointSetData::new::<ExtendedPictographic>().contains(c);
    let is_tone = |c: char| c == AS_EMOJI || matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
    let picture = before.iter().rev().find(|c| !is_tone(**c));
    picture.is_some_and(|c| is_picture(*c)) && after.first().is_some_and(|c| is_picture(*c))
}

/// A joiner where letters have forms by what stands beside them, as in Persian, or are put together by a virama, as in
/// Hindi (RFC 5892, appendix A; more generous with letters that keep their form, beside which Persian has it, too).
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

/// Scripts without spaces, whose keyboards have a space of no width for where a line may end.
fn has_no_spaces(c: char) -> bool {
    matches!(script(c), Script::Khmer | Script::Lao | Script::Myanmar | Script::Thai)
}

/// Whether a character has other forms that this selector chooses: emoji, and Chinese characters in names.
fn varies(base: char, selector: char, after: &[char]) -> bool {
    if base.is_ascii() {
        return selector == AS_EMOJI && after.first() == Some(&KEYCAP);
    }
    let is_emoji = CodePointSetData::new::<Emoji>().contains(base) && matches!(selector, '\u{fe0e}' | AS_EMOJI);
    is_emoji || CodePointSetData::new::<Ideographic>().contains(base)
}

/// A tag in the name of a flag that there is, or the one behind it.
fn is_in_flag(text: &[char], at: usize) -> bool {
    FLAGS.iter().any(|name| {
        let tags = name.chars().filter_map(|c| char::from_u32(TAGS + u32::from(c)));
        let flag: Vec<char> = std::iter::once(FLAG).chain(tags).chain([TAGS_END]).collect();
        let starts = (1..flag.len()).filter_map(|into| at.checked_sub(into));
        starts.filter_map(|start| text.get(start..)).any(|rest| rest.starts_with(&flag))
    })
}
