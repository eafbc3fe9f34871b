//! Tests of reading answers.

use super::*;

const FORM: &str = r#"{"fields":[
    {"key":"fridge","label":"Fridge","required":false,"type":"heading"},
    {"key":"which","label":"Which?","required":true,"type":"item","kind":"assets"},
    {"key":"is_on","label":"Is it on?","required":true,"type":"yes_no"},
    {"key":"now","label":"Now","required":true,"type":"number"},
    {"key":"monitors","label":"Monitors","required":true,"type":"one_of","choices":["Good","Past the point"]},
    {"key":"found","label":"Found","required":false,"type":"several_of","choices":["Ice","Dust","Rust"]},
    {"key":"next","label":"Next","required":false,"type":"date"},
    {"key":"who","label":"Who","required":false,"type":"text"},
    {"key":"more","label":"More","required":false,"type":"long_text"}]}"#;

/// A right answer to each field, as JSON.
const ANSWERS: &str = r#"{"found":["Ice","Rust"],"is_on":false,"monitors":"Good","more":"Seal worn.\nChange it.","next":"2026-12-01","now":-4.50,"which":"k7m2q9xd4t","who":"Awa"}"#;

fn form() -> Form {
    Form::from_json(FORM).unwrap()
}

fn json(text: &str) -> JsonAnswers {
    serde_json::from_str(text).unwrap()
}

fn typed(pairs: &[(&str, &str)]) -> TypedAnswers {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn key(text: &str) -> FieldKey {
    FieldKey::parse(text).unwrap()
}

fn all() -> Answers {
    form().read_json(&json(ANSWERS), &Answers::default(), Strength::Finish).unwrap()
}

/// Returns what is wrong with one typed answer, or how it is written.
fn try_typed(field: &str, value: &str) -> Result<String, AnswerError> {
    written(field, form().read(&typed(&[(field, value)]), &Answers::default(), Strength::Finish))
}

fn try_json(field: &str, value: &str) -> Result<String, AnswerError> {
    let sent = json(&format!("{{\"{field}\":{value}}}"));
    written(field, form().read_json(&sent, &Answers::default(), Strength::Draft))
}

fn written(field: &str, read: Result<Answers, Vec<AnswerProblem>>) -> Result<String, AnswerError> {
    match read {
        Ok(answers) => Ok(answers.to_json()),
        // Finishing misses the others.
        Err(wrong) => match wrong.into_iter().find(|problem| problem.field == field) {
            Some(problem) => Err(problem.why),
            None => Ok("read".into()),
        },
    }
}

#[test]
fn answers_are_the_same_from_a_form_from_json_and_from_the_database() {
    let answers = all();
    assert_eq!(answers.to_json(), ANSWERS);
    assert_eq!(Answers::from_json(&form(), ANSWERS).unwrap(), answers);
    let shown = TypedAnswers::from(&answers);
    assert_eq!(shown.get(&key("is_on")), ["no"]);
    assert_eq!(form().read(&shown, &Answers::default(), Strength::Finish), Ok(answers.clone()));
    assert_eq!((answers.count(&form()), Answers::default().count(&form())), (8, 0));
}

#[test]
fn a_draft_misses_nothing_and_finishing_all_that_is_required() {
    let (nothing, none) = (TypedAnswers::default(), Answers::default());
    assert_eq!(form().read(&nothing, &none, Strength::Draft), Ok(Answers::default()));
    assert_eq!(form().read_json(&json("{}"), &none, Strength::Draft), Ok(Answers::default()));
    let missing: Vec<_> = ["which", "is_on", "now", "monitors"]
        .map(|field| AnswerProblem { field: field.into(), why: AnswerError::Missing })
        .into();
    assert_eq!(form().read(&nothing, &none, Strength::Finish), Err(missing.clone()));
    assert_eq!(form().read_json(&json(r#"{"now":null}"#), &none, Strength::Finish), Err(missing));
}

#[test]
fn what_was_typed_into_a_draft_stays_until_it_is_finished() {
    let typed = typed(&[("now", "4,5 env."), ("next", "tomorrow"), ("who", "a\u{202e}b"), ("more", "fine")]);
    let draft = form().read(&typed, &Answers::default(), Strength::Draft).unwrap();
    let stored = Answers::from_json(&form(), &draft.to_json()).unwrap();
    assert_eq!(stored, draft);
    assert_eq!(TypedAnswers::from(&stored).get(&key("now")), ["4,5 env."]);
    assert_eq!(stored.without_unread().to_json(), r#"{"more":"fine"}"#);
    assert_eq!(stored.count(&form()), 1);
    for wrong in [
        form().read(&TypedAnswers::from(&stored), &stored, Strength::Finish),
        form().read_json(&json("{}"), &stored, Strength::Finish),
    ] {
        let wrong: Vec<_> =
            wrong.unwrap_err().into_iter().filter(|problem| problem.why != AnswerError::Missing).collect();
        let wrong: Vec<_> = wrong.iter().map(|problem| (problem.field.as_str(), &problem.why)).collect();
        let hidden = AnswerError::Text(TextError::Hidden('\u{202e}'));
        assert_eq!(wrong, [("now", &AnswerError::NotANumber), ("next", &AnswerError::NotADate), ("who", &hidden)]);
    }
}

#[test]
fn a_draft_keeps_no_api_key_and_no_choice_that_nobody_offered() {
    let key = format!("jtn_p_{}", "0".repeat(38));
    for (field, value) in
        [("more", key.as_str()), ("now", &key), ("who", "a\0b"), ("monitors", "Best"), ("is_on", "perhaps")]
    {
        assert!(form().read(&typed(&[(field, value)]), &Answers::default(), Strength::Draft).is_err(), "{field}");
    }
    let many = typed(&[("found", "Ice"); 201]);
    assert!(form().read(&many, &Answers::default(), Strength::Draft).is_err());
    let long = "é".repeat(20_001);
    assert!(form().read(&typed(&[("more", &long)]), &Answers::default(), Strength::Draft).is_err());
}

#[test]
fn typed_answers_are_read_by_the_type_of_their_field() {
    for (field, value) in [
        ("now", " 4,5 "),
        ("next", "2024-02-29"),
        ("is_on", "yes"),
        ("monitors", "past the point"),
        ("found", "Dust"),
        ("which", "k7m2q9xd4t"),
        ("who", &"é".repeat(1_000)),
        ("more", &"é".repeat(10_000)),
    ] {
        assert_eq!(try_typed(field, value), Ok("read".into()), "{field}");
    }
    for (field, value, wrong) in [
        ("now", "4,5 env.", AnswerError::NotANumber),
        ("now", &"9".repeat(31), AnswerError::TooManyDigits),
        ("now", " ", AnswerError::Missing),
        ("next", "2025-02-29", AnswerError::NotADate),
        ("is_on", "true", AnswerError::NotYesOrNo),
        ("monitors", "Best", AnswerError::NotAChoice),
        ("found", "Gold", AnswerError::NotAChoice),
        ("which", "../etc", AnswerError::NotAnItem),
        ("who", "a\nb", AnswerError::Text(TextError::Control)),
        ("who", &"é".repeat(1_001), AnswerError::Text(TextError::TooLong)),
        ("more", &"é".repeat(10_001), AnswerError::Text(TextError::TooLong)),
    ] {
        assert_eq!(try_typed(field, value), Err(wrong), "{field} {value}");
    }
}

#[test]
fn json_answers_must_be_of_the_type_of_their_field() {
    for (field, value, kept) in [
        ("now", "4.50", r#"{"now":4.50}"#),
        ("now", r#""4.50""#, r#"{"now":4.50}"#),
        ("now", "0.30000000000000004", r#"{"now":0.30000000000000004}"#),
        ("now", "12345678901234567890.12", r#"{"now":12345678901234567890.12}"#),
        ("now", r#""""#, "{}"),
        ("found", r#"["Rust","ice","Rust"]"#, r#"{"found":["Ice","Rust"]}"#),
        ("found", "[]", "{}"),
        ("who", r#"" ""#, "{}"),
        ("is_on", "null", "{}"),
    ] {
        assert_eq!(try_json(field, value), Ok(kept.into()), "{field} {value}");
    }
    for (field, field_type) in [
        ("now", FieldType::Number),
        ("next", FieldType::Date),
        ("is_on", FieldType::YesNo),
        ("monitors", FieldType::OneOf),
        ("found", FieldType::SeveralOf),
        ("which", FieldType::Item),
        ("who", FieldType::Text),
        ("more", FieldType::LongText),
    ] {
        for value in ["{}", "[1]", r#"{"unread":"4"}"#] {
            assert_eq!(try_json(field, value), Err(AnswerError::WrongType(field_type)), "{field} {value}");
        }
    }
    assert_eq!(try_json("is_on", r#""yes""#), Err(AnswerError::WrongType(FieldType::YesNo)));
    assert_eq!(try_json("now", r#""4,5""#), Err(AnswerError::NotANumber));
    assert_eq!(try_json("now", "1e300"), Err(AnswerError::TooManyDigits));
    for field in ["fridge", "colour", "", "Which"] {
        assert_eq!(try_json(field, "1"), Err(AnswerError::NoField), "{field}");
    }
}

#[test]
fn a_program_changes_only_the_answers_that_it_names() {
    let since = form().read_json(&json(r#"{"now":5,"who":null}"#), &all(), Strength::Finish).unwrap();
    let changed: Vec<_> = all().differences(&since).map(ToString::to_string).collect();
    assert_eq!(changed, ["now", "who"]);
    assert_eq!((since.get(&key("who")), since.get(&key("next")).is_some()), (None, true));
}

#[test]
fn a_choice_that_is_no_longer_offered_stays_where_it_was_chosen() {
    let narrower = Form::from_json(&FORM.replace(r#""Good","#, "").replace(r#""Ice","#, "")).unwrap();
    let before = Answers::from_json(&narrower, ANSWERS).unwrap();
    let shown = TypedAnswers::from(&before);
    assert_eq!(
        narrower.read(&shown, &before, Strength::Finish).unwrap().to_json(),
        ANSWERS.replace(r#"["Ice","Rust"]"#, r#"["Rust","Ice"]"#)
    );
    let wrong = narrower.read(&shown, &Answers::default(), Strength::Finish).unwrap_err();
    let wrong: Vec<_> = wrong.into_iter().map(|problem| (problem.field, problem.why)).collect();
    assert_eq!(wrong, ["monitors", "found"].map(|field| (field.to_owned(), AnswerError::NotAChoice)));
}

#[test]
fn answers_to_fields_that_are_gone_stay() {
    let shorter = Form::from_json(r#"{"fields":[{"key":"who","label":"Who","required":true,"type":"text"}]}"#).unwrap();
    let before = Answers::from_json(&shorter, ANSWERS).unwrap();
    let since = shorter.read(&typed(&[("who", "Ben"), ("now", "7")]), &before, Strength::Finish).unwrap();
    assert_eq!(since.to_json(), ANSWERS.replace("Awa", "Ben"));
    assert_eq!(since.count(&shorter), 1);
}

#[test]
fn stored_answers_that_are_none_are_left_out() {
    let read = |stored| Answers::from_json(&form(), stored).map(|answers| answers.to_json()).ok();
    assert_eq!(read(r#"{"now":null,"found":[1],"Not a key":1,"who":"Awa"}"#).as_deref(), Some(r#"{"who":"Awa"}"#));
    assert_eq!(read(r#"{"next":"some day"}"#).as_deref(), Some(r#"{"next":"some day"}"#));
    assert_eq!((read("[]"), read("")), (None, None));
}
