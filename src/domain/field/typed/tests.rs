//! Tests of the editor of forms.

use super::*;

fn typed(label: &str, field_type: FieldType) -> TypedField {
    TypedField { label: label.into(), field_type: field_type.key().into(), ..TypedField::default() }
}

fn any_kind(_: &ItemKind) -> bool {
    true
}

fn read(fields: &[TypedField]) -> Result<Form, Vec<FieldProblem>> {
    TypedForm { fields: fields.to_vec() }.read(&Form::default(), &BTreeSet::new(), any_kind)
}

fn keys(form: &Form) -> Vec<&str> {
    form.fields().iter().map(|field| field.key.as_str()).collect()
}

fn labels(form: &TypedForm) -> Vec<&str> {
    form.fields.iter().map(|field| field.label.as_str()).collect()
}

fn key(text: &str) -> FieldKey {
    FieldKey::parse(text).unwrap()
}

#[test]
fn fields_move_by_one_and_never_beyond_the_ends() {
    let mut form = TypedForm { fields: ["a", "b", "c"].map(|label| typed(label, FieldType::Text)).into() };
    assert_eq!((form.move_up(2), labels(&form)), (1, vec!["a", "c", "b"]));
    assert_eq!((form.move_down(0), labels(&form)), (1, vec!["c", "a", "b"]));
    for at in [2, 3, usize::MAX] {
        assert_eq!((form.move_down(at), labels(&form)), (at, vec!["c", "a", "b"]));
    }
    for at in [0, 3, usize::MAX] {
        assert_eq!((form.move_up(at), labels(&form)), (at, vec!["c", "a", "b"]));
    }
    assert_eq!((form.remove(3), form.remove(0).map(|field| field.label)), (None, Some("c".into())));
    assert_eq!(labels(&form), ["a", "b"]);
}

#[test]
fn a_form_that_is_full_takes_no_more_fields() {
    let mut form = TypedForm::default();
    for at in 0..MOST_FIELDS {
        assert_eq!(form.add(FieldType::Text), Some(at));
        form.fields[at].label = "Same words".into();
    }
    assert_eq!((form.has_room(), form.add(FieldType::Text)), (false, None));
    let full = form.read(&Form::default(), &BTreeSet::new(), any_kind).unwrap();
    assert_eq!(full.fields().iter().map(|field| &field.key).collect::<BTreeSet<_>>().len(), MOST_FIELDS);
    form.fields.push(typed("One more", FieldType::Text));
    let problems = form.read(&Form::default(), &BTreeSet::new(), any_kind).unwrap_err();
    assert_eq!(problems, [FieldProblem { at: 200, part: FieldPart::Label, why: FieldError::TooManyFields }]);
}

#[test]
fn a_field_keeps_its_key_when_it_is_renamed_and_moved() {
    let before = read(&[typed("Pump type", FieldType::Text), typed("Date", FieldType::Date)]).unwrap();
    let mut editor = TypedForm::from(&before);
    editor.fields[0].label = "What pump?".into();
    editor.move_down(0);
    editor.add(FieldType::Number);
    editor.fields[2].label = "Pump type".into();
    let since = editor.read(&before, &BTreeSet::new(), any_kind).unwrap();
    assert_eq!(keys(&since), ["date", "pump_type", "pump_type_2"]);
    assert_eq!(TypedForm::from(&since).read(&since, &BTreeSet::new(), any_kind).unwrap(), since);
}

#[test]
fn a_key_that_is_not_of_this_form_or_is_sent_twice_makes_a_new_field() {
    let before = read(&[typed("Pump", FieldType::Text)]).unwrap();
    let mut editor = TypedForm::from(&before);
    editor.fields.push(TypedField { key: "pump".into(), ..typed("Twice", FieldType::Text) });
    editor.fields.push(TypedField { key: "id".into(), ..typed("Forged", FieldType::Text) });
    assert_eq!(keys(&editor.read(&before, &BTreeSet::new(), any_kind).unwrap()), ["pump", "twice", "forged"]);
}

#[test]
fn the_key_of_an_answered_field_is_never_given_again() {
    let before = read(&[typed("Power", FieldType::YesNo), typed("Note", FieldType::Text)]).unwrap();
    let answered = BTreeSet::from([key("power")]);
    let removed = TypedForm::default().read(&before, &answered, any_kind).unwrap();
    let again = TypedForm { fields: vec![typed("Power", FieldType::Text), typed("Note", FieldType::Number)] };
    let again = again.read(&removed, &BTreeSet::new(), any_kind).unwrap();
    assert_eq!(keys(&again), ["power_2", "note"], "nobody answered the note");
    assert_eq!(keys(&Form::from_json(&again.to_json()).unwrap()), ["power_2", "note"]);
    let emptied = TypedForm::default().read(&again, &BTreeSet::new(), any_kind).unwrap();
    assert!(emptied.retired.contains(&key("power")), "it stays so");
}

#[test]
fn a_field_with_answers_keeps_its_type() {
    let choices = |choices: &str| TypedField { choices: choices.into(), ..typed("Monitors", FieldType::OneOf) };
    let item = |kind: &str| TypedField { kind: kind.into(), ..typed("Which", FieldType::Item) };
    let before = read(&[choices("a\nb"), item("assets")]).unwrap();
    let answered: BTreeSet<_> = before.fields().iter().map(|field| field.key.clone()).collect();
    let problems = |change: &dyn Fn(&mut TypedForm), answered: &BTreeSet<FieldKey>| {
        let mut editor = TypedForm::from(&before);
        change(&mut editor);
        editor.read(&before, answered, any_kind).err().unwrap_or_default()
    };
    let locked = |at, was| vec![FieldProblem { at, part: FieldPart::Type, why: FieldError::Answered(was) }];
    let to_text: &dyn Fn(&mut TypedForm) = &|editor| editor.fields[0].field_type = "text".into();
    let to_other: &dyn Fn(&mut TypedForm) = &|editor| editor.fields[1].kind = "invoices".into();
    let other_choices: &dyn Fn(&mut TypedForm) = &|editor| editor.fields[0].choices = "c".into();
    assert_eq!(problems(to_text, &answered), locked(0, FieldType::OneOf));
    assert_eq!(problems(to_other, &answered), locked(1, FieldType::Item));
    assert_eq!(problems(other_choices, &answered), []);
    assert_eq!(TypedForm::from(&before).read(&before, &answered, any_kind).unwrap(), before, "nothing is retired");
    assert_eq!((problems(to_text, &BTreeSet::new()), problems(to_other, &BTreeSet::new())), (vec![], vec![]));
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_names_its_field() {
    let fields = [
        typed("Fine", FieldType::Text),
        TypedField { help: "é".repeat(1_001), ..typed(" ", FieldType::Text) },
        TypedField { field_type: "colour".into(), ..typed(&"é".repeat(201), FieldType::Text) },
        typed("No kind", FieldType::Item),
        TypedField { choices: " \n\n".into(), ..typed("No choices", FieldType::SeveralOf) },
    ];
    let problems: Vec<_> = read(&fields).unwrap_err().into_iter().map(|at| (at.at, at.part, at.why)).collect();
    assert_eq!(
        problems,
        [
            (1, FieldPart::Label, FieldError::Text(TextError::Empty)),
            (1, FieldPart::Help, FieldError::Text(TextError::TooLong)),
            (2, FieldPart::Label, FieldError::Text(TextError::TooLong)),
            (2, FieldPart::Type, FieldError::NotAType),
            (3, FieldPart::Kind, FieldError::NotAKind),
            (4, FieldPart::Choices, FieldError::NoChoices),
        ]
    );
    let foreign = TypedField { kind: "invoices".into(), ..typed("Which", FieldType::Item) };
    let foreign = TypedForm { fields: vec![foreign] }.read(&Form::default(), &BTreeSet::new(), ItemKind::is_built_in);
    let [problem] = foreign.unwrap_err().try_into().unwrap();
    assert_eq!(problem.to_string(), "field 1 (kind): is not a kind");
}

#[test]
fn choices_are_lines_that_differ() {
    assert_eq!(choices(" Good \r\n\r\nPast  the point\n"), Ok(vec!["Good".into(), "Past the point".into()]));
    assert_eq!(choices("Good\nBad\ngood"), Err(FieldError::SameChoice("good".into())));
    let numbers = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
    assert_eq!(choices(&numbers(100)).map(|choices| choices.len()), Ok(100));
    assert_eq!(choices(&numbers(101)), Err(FieldError::TooManyChoices));
    let long = "é".repeat(201);
    assert_eq!(choices(&long), Err(FieldError::Choice(long, TextError::TooLong)));
}

#[test]
fn a_heading_never_needs_an_answer() {
    let heading = TypedField { is_required: true, ..typed("Fridge", FieldType::Heading) };
    assert!(!read(&[heading]).unwrap().fields()[0].is_required);
    let mut editor = TypedForm::default();
    editor.add(FieldType::Heading);
    editor.add(FieldType::Date);
    assert_eq!(editor.fields.iter().map(|field| field.is_required).collect::<Vec<_>>(), [false, true]);
}
