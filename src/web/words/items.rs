//! Items: their kinds, levels and fields in words.

use crate::texts::Texts;
use domain::{
    access::{Level, RecipientKind, Source, Way},
    field::{Decimal, FieldType},
    item::ItemKind,
    kind::Kind,
    user::Language,
};

impl Texts {
    /// What the items of a kind are, and which of them the reader sees.
    pub fn items_lead(self, kind: &ItemKind) -> &'static str {
        match kind.key() {
            "templates" => self.items_lead_templates(),
            "inspections" => self.items_lead_inspections(),
            "assets" => self.items_lead_assets(),
            _ => self.items_lead_own(),
        }
    }

    /// What the page is called on which an item of a kind is made, in an organization with these kinds.
    pub fn new_item(self, kinds: &[Kind], kind: &ItemKind) -> String {
        match kind.key() {
            "templates" => self.items_new_template().into(),
            "assets" => self.items_new_asset().into(),
            key => {
                let own = kinds.iter().find(|kind| kind.key.as_str() == key);
                self.items_new_own(own.map_or(key, |kind| &kind.singular))
            }
        }
    }

    /// What a level lets the reader do with an item.
    pub fn own_level(self, level: Level) -> &'static str {
        match level {
            Level::View => self.items_you_view(),
            Level::Edit => self.items_you_edit(),
            Level::Manage => self.items_you_manage(),
        }
    }

    /// Why the reader reaches an item: by this way, as the recipient with this name.
    pub fn way(self, way: &Way, name: &str) -> String {
        let is_rule = match way.source {
            Source::Owner => return self.items_way_owner().to_owned(),
            Source::Share(_) => false,
            Source::Rule(_) => true,
        };
        match (way.recipient.kind(), is_rule) {
            (RecipientKind::User | RecipientKind::ServiceUser, false) => self.items_way_share_you().to_owned(),
            (RecipientKind::User | RecipientKind::ServiceUser, true) => self.items_way_rule_you().to_owned(),
            (RecipientKind::Group, false) => self.items_way_share_group(name),
            (RecipientKind::Group, true) => self.items_way_rule_group(name),
            (RecipientKind::Site, false) => self.items_way_share_site(name),
            (RecipientKind::Site, true) => self.items_way_rule_site(name),
            (RecipientKind::Organization, false) => self.items_way_share_all(name),
            (RecipientKind::Organization, true) => self.items_way_rule_all(name),
        }
    }

    /// The name of a type of fields.
    pub fn field_type(self, field_type: FieldType) -> &'static str {
        match field_type {
            FieldType::Text => self.fields_text(),
            FieldType::LongText => self.fields_long_text(),
            FieldType::Number => self.fields_number(),
            FieldType::Date => self.fields_date(),
            FieldType::YesNo => self.fields_yes_no(),
            FieldType::OneOf => self.fields_one_of(),
            FieldType::SeveralOf => self.fields_several_of(),
            FieldType::Item => self.fields_item(),
            FieldType::Heading => self.fields_heading(),
        }
    }

    /// A number with all its digits, with the mark that the language has before the fraction.
    pub fn decimal(self, number: &Decimal) -> String {
        match self.0 {
            Language::En => number.to_string(),
            Language::Fr => number.to_string().replace('.', ","),
        }
    }
}
