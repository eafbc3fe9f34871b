use super::*;

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn form(labels: &str) -> TypedForm {
    let field = |label| TypedField { label, field_type: "text".into(), ..TypedField::default() };
    TypedForm { fields: labels.chars().map(|c| field(c.to_string())).collect() }
}

fn labels(form: &TypedForm) -> String {
    form.fields.iter().map(|field| field.label.as_str()).collect()
}

#[test]
fn each_field_has_what_was_typed_into_it() {
    let mut pairs = vec![pair("name", "Fridge"), pair("required[]", "2")];
    for (label, of) in [("Fridge", "heading"), ("Power?", "yes_no")] {
        pairs.extend([pair("field[]", ""), pair("label[]", label), pair("type[]", of), pair("help[]", label)]);
        pairs.extend([pair("choices[]", ""), pair("of[]", "")]);
    }
    let fields = typed(&pairs).fields;
    assert_eq!(fields.len(), 2);
    assert_eq!((fields[0].label.as_str(), fields[0].is_required), ("Fridge", false));
    assert_eq!((fields[1].field_type.as_str(), fields[1].is_required), ("yes_no", true));
    let many: Vec<_> = (0..1000).map(|_| pair("label[]", "x")).collect();
    assert_eq!(typed(&many).fields.len(), MOST_FIELDS + 1);
}

/// Whoever presses a button again and again with the keyboard moves the same field all the way.
#[test]
fn the_focus_stays_on_the_field_that_is_moved() {
    for (step, after, focus) in [
        ("up.3", "acbd", "up-2"),
        ("up.2", "bacd", "down-1"),
        ("up.1", "abcd", "down-1"),
        ("down.2", "acbd", "down-3"),
        ("down.3", "abdc", "up-4"),
        ("remove.4", "abc", "field-3"),
        ("remove.1", "bcd", "field-1"),
        ("add.number", "abcd", "label-5"),
        ("up.0", "abcd", ""),
        ("up.5", "abcd", ""),
        ("down.x", "abcd", ""),
        ("add.nothing", "abcd", ""),
    ] {
        let arranged = arranged(form("abcd"), step).expect("a step");
        assert_eq!((labels(&arranged.form).as_str(), arranged.focus.as_str()), (after, focus), "{step}");
    }
    assert_eq!(arranged(form("a"), "remove.1").expect("a step").focus, "add-text");
    for saves in ["", "save", "find.x"] {
        assert_eq!(arranged(form("a"), saves), None, "{saves}");
    }
}
