-- The kind of the item that `{item}` in the path of a rule names. NULL: the path names none.
ALTER TABLE protected_api_rules ADD COLUMN item_kind TEXT;
