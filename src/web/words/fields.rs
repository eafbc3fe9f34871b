//! What is wrong with fields and answers, in words.

use crate::texts::Texts;
use app::problem::{Field, Problem};
use domain::{
    field::{
        AnswerError, Asks, Decimal, FieldError, LONGEST_CHOICE, LONGEST_HELP, LONGEST_LABEL, LONGEST_LONG_TEXT,
        LONGEST_TEXT, MOST_CHOICES, MOST_FIELDS,
    },
    text::TextError,
};

impl Texts {
    /// What is wrong with a part of a field, and what to do about it.
    pub fn field_problem(self, why: &FieldError) -> String {
        match why {
            FieldError::Text(TextError::Empty) => self.fields_label_empty().into(),
            FieldError::Text(TextError::TooLong) => self.fields_too_long(LONGEST_LABEL, LONGEST_HELP),
            FieldError::Text(error) => self.typed_problem(*error, LONGEST_LABEL),
            FieldError::TooManyFields => self.fields_full(MOST_FIELDS),
            FieldError::NotAType => self.fields_type_missing().into(),
            FieldError::Answered(of) => self.fields_answered(self.field_type(*of)),
            FieldError::NoChoices => self.fields_no_choices().into(),
            FieldError::TooManyChoices => self.fields_too_many_choices(MOST_CHOICES),
            FieldError::Choice(choice, error) => self.forms_at(choice, self.typed_problem(*error, LONGEST_CHOICE)),
            FieldError::SameChoice(choice) => self.fields_same_choice(choice),
            FieldError::NotAKind => self.fields_no_kind().into(),
        }
    }

    /// What is wrong with an answer to what a field asks for, and what to do about it.
    pub fn answer_problem(self, asks: &Asks, why: &AnswerError) -> String {
        let longest = if matches!(asks, Asks::LongText) { LONGEST_LONG_TEXT } else { LONGEST_TEXT };
        match why {
            AnswerError::Missing if is_chosen(asks) => self.answers_choose().into(),
            AnswerError::Missing => self.answers_enter().into(),
            AnswerError::Text(error) => self.typed_problem(*error, longest),
            AnswerError::NotANumber => self.answers_number().into(),
            AnswerError::TooManyDigits => self.answers_digits(Decimal::MOST_DIGITS),
            AnswerError::NotADate => self.answers_date().into(),
            AnswerError::NotYesOrNo | AnswerError::NotAChoice => self.answers_choose().into(),
            AnswerError::NotAnItem => self.answers_item().into(),
            AnswerError::WrongType(_) | AnswerError::NoField => self.problem_form_broken().into(),
        }
    }

    fn typed_problem(self, error: TextError, longest: usize) -> String {
        match error {
            TextError::TooLong => self.problem_text_too_long(longest),
            TextError::Empty => self.answers_enter().into(),
            error => self.problem(&[], Field::Answers, Problem::Text(error)),
        }
    }
}

/// Returns whether one answers by a choice, and not by writing.
const fn is_chosen(asks: &Asks) -> bool {
    matches!(asks, Asks::YesNo | Asks::OneOf(_) | Asks::SeveralOf(_) | Asks::Item(_))
}
