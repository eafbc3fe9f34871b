-- What each start looks for, so that it never reads whole tables: entries without a place in a chain.
CREATE INDEX activity_unchained ON activity (id) WHERE position IS NULL;
